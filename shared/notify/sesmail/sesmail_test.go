package sesmail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"html"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/sesmail"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// configuration is for a server on this machine. Nothing comes from the environment.
func configuration(endpoint string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

var settings = notify.SESSettings{From: "Waggle <alerts@example.com>", To: []string{"a@example.com", "Bé <b@example.com>", "c@example.com"}}

func sender(endpoint string, change func(*sesmail.Options)) *sesmail.Sender {
	opts := sesmail.Options{Now: func() time.Time { return now }, Timeout: 5 * time.Second}
	if change != nil {
		change(&opts)
	}
	return sesmail.New(configuration(endpoint), settings, &opts)
}

var content = notify.Content{Subject: "[Waggle] gallery failed – ж", Line: "FAILED gallery: 3 steps", Text: "sales_raw: no file 🐝\n.a line that begins with a dot\n",
	HTML: "<html><body><p>sales_raw 🐝</p></body></html>", Footer: "You get this because of on_run_failure.",
	Attachments: []notify.Attachment{{Name: "validation_warnings.json", Data: []byte(`{"warnings":[]}`)}}}

// took is SES's answer to a mail that it takes.
func took(id string) notifytest.Step {
	return notifytest.Reply(200, `<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult><MessageId>`+id+`</MessageId></SendRawEmailResult></SendRawEmailResponse>`)
}

func refuse(status int, code, message string) notifytest.Step {
	return notifytest.Reply(status, `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>`+code+`</Code><Message>`+html.EscapeString(message)+`</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
}

// asked is a request as SES reads it.
type asked struct {
	form url.Values
	raw  []byte
	to   []string
}

func read(t *testing.T, r notifytest.Request) (a asked) {
	t.Helper()
	var err error
	if a.form, err = url.ParseQuery(string(r.Body)); err != nil {
		t.Fatal(err)
	}
	if a.raw, err = base64.StdEncoding.DecodeString(a.form.Get("RawMessage.Data")); err != nil {
		t.Fatal(err)
	}
	for i := 1; a.form.Has("Destinations.member." + strconv.Itoa(i)); i++ {
		a.to = append(a.to, a.form.Get("Destinations.member."+strconv.Itoa(i)))
	}
	return a
}

func (a asked) header(t *testing.T) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(a.raw))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

func TestAMailIsHandedOverAsItIsAndKnownByTheIDThatSESGives(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, took("0102-first"), took("0102-second"), took("0102-third"))
	s := sender(web.URL, func(o *sesmail.Options) { o.ConfigurationSet = "waggle-test" })
	first := s.Send(t.Context(), "run#7", content, notify.Thread{})
	second := s.Send(t.Context(), "run#8", content, notify.Thread{Root: first.Ref})
	third := s.Send(t.Context(), "run#9", content, notify.Thread{Root: first.Ref, Last: second.Ref})
	if first.Kind != notify.Sent || first.Reason != notify.ReasonTaken || first.Error != "" || first.Ref != "<0102-first@eu-west-1.amazonses.com>" || third.Kind != notify.Sent {
		t.Errorf("%+v %+v %+v", first, second, third)
	}
	got := web.Take()
	if len(got) != 3 {
		t.Fatalf("%d requests", len(got))
	}
	a := read(t, got[0])
	if a.form.Get("Action") != "SendRawEmail" || a.form.Get("Source") != "alerts@example.com" || a.form.Get("ConfigurationSetName") != "waggle-test" ||
		!slices.Equal(a.to, []string{"a@example.com", "b@example.com", "c@example.com"}) {
		t.Errorf("%v to %v", a.form.Get("Source"), a.to)
	}
	for _, line := range strings.Split(string(a.raw), "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %.80q is not 7-bit or too long", line)
		}
	}
	if h := a.header(t); h.Get("In-Reply-To") != "" || h.Get("References") != "" || h.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("the first: %v", h)
	}
	if h := read(t, got[1]).header(t); h.Get("In-Reply-To") != first.Ref || h.Get("References") != first.Ref {
		t.Errorf("the second follows %v", h)
	}
	if h := read(t, got[2]).header(t); h.Get("In-Reply-To") != second.Ref || h.Get("References") != first.Ref+" "+second.Ref {
		t.Errorf("the third follows %v", h)
	}
}

func TestTheDomainOfAMessageIDIsThatOfTheRegion(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, took("0100"), took("0100@email.example.com"), took(""))
	cfg := configuration(web.URL)
	cfg.Region = "us-east-1"
	s := sesmail.New(cfg, settings, nil)
	for _, want := range []string{"<0100@email.amazonses.com>", "<0100@email.example.com>", ""} {
		if a := s.Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Sent || a.Ref != want {
			t.Errorf("%+v, want %q", a, want)
		}
	}
	if got := web.Take(); read(t, got[0]).form.Has("ConfigurationSetName") {
		t.Error("a configuration set that nobody named")
	}
}

func TestWhatSESSaysDecidesWhatFollows(t *testing.T) {
	t.Parallel()
	const unverified = "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
	for name, c := range map[string]struct {
		step notifytest.Step
		want notify.Answer // its Error: a part of it
	}{
		"too fast":    {refuse(400, "Throttling", "Maximum sending rate exceeded."), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, Error: "Maximum sending rate"}},
		"over quota":  {refuse(400, "Throttling", "Daily message quota exceeded."), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: 15 * time.Minute, Error: "higher sending quota in eu-west-1"}},
		"429":         {refuse(429, "Odd", "slow down"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, Error: "Odd: slow down"}},
		"its failure": {refuse(500, "InternalFailure", "sorry"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true, Error: "sorry"}},
		"unavailable": {refuse(503, "ServiceUnavailable", "later"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Error: "later"}},
		"a gateway":   {notifytest.Reply(502, "<html>bad gateway</html>"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true}},
		"sender not verified": {refuse(400, "MessageRejected", unverified+"alerts@example.com"),
			notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "verify the sender alerts@example.com or its domain in SES, region eu-west-1"}},
		"sender and recipient not verified": {refuse(400, "MessageRejected", unverified+"a@example.com, alerts@example.com"),
			notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "verify the sender alerts@example.com"}},
		"nobody verified": {refuse(400, "MessageRejected", unverified+"a@example.com, B@Example.com, c@example.com"),
			notify.Answer{Kind: notify.Park, Reason: notify.ReasonNoRecipients, Error: "sandbox in eu-west-1, where it sends to verified addresses alone: verify them there, or ask for production access"}},
		"a bad address":    {refuse(400, "InvalidParameterValue", "Missing final '@domain'"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonNoRecipients, Error: "look at a@example.com, b@example.com"}},
		"too large":        {refuse(400, "InvalidParameterValue", "Message length is more than 10485760 bytes long: '13000000'."), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "10485760"}},
		"too large by 413": {refuse(413, "RequestEntityTooLarge", "too large"), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "too large"}},
		"content refused":  {refuse(400, "MessageRejected", "Illegal filename 'x.exe'"), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: "x.exe"}},
		"sending paused":   {refuse(400, "AccountSendingPausedException", "paused"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "account's status in SES"}},
		"under review":     {refuse(400, "MessageRejected", "Sending paused for this account."), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "account's status in SES"}},
		"no set":           {refuse(400, "ConfigurationSetDoesNotExist", "Configuration set <waggle> does not exist."), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "make the configuration set"}},
		"no MX":            {refuse(400, "MailFromDomainNotVerified", "no MX"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "MX record"}},
		"no right": {refuse(403, "AccessDenied", "User u is not authorized to perform `ses:SendRawEmail' on resource r"),
			notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "allow the role or user ses:SendRawEmail from alerts@example.com"}},
		"no credentials": {refuse(403, "InvalidClientTokenId", "The security token is invalid."), notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "does not take the credentials"}},
		"not SES":        {notifytest.Reply(404, "nothing here"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "a region of SES"}},
		"cut off":        {notifytest.Drop(), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true, Error: "EOF"}},
		"half an answer": {notifytest.Half(), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true}},
		"silent":         {notifytest.Silence(), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNoAnswer, Ambiguous: true, Error: "no answer within 200ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := notifytest.NewWeb(t, c.step)
			s := sender(web.URL, func(o *sesmail.Options) {
				if name == "silent" {
					o.Timeout = 200 * time.Millisecond
				}
			})
			a := s.Send(t.Context(), "k", content, notify.Thread{})
			_ = web.One() // a second try would be a request too many
			if !strings.Contains(a.Error, c.want.Error) || a.Error == "" {
				t.Errorf("the error is %q, want %q in it", a.Error, c.want.Error)
			}
			if a.Kind != c.want.Kind || a.Reason != c.want.Reason || a.After != c.want.After || a.Ambiguous != c.want.Ambiguous {
				t.Errorf("got %+v, want %+v", a, c.want)
			}
		})
	}
	if sesmail.Timeout != 10*time.Second {
		t.Errorf("the default is %s", sesmail.Timeout)
	}
}

func TestInTheSandboxThoseThatAreVerifiedGetTheMail(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, refuse(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-WEST-1: Bé <b@example.com>"), took("id"))
	a := sender(web.URL, nil).Send(t.Context(), "k", content, notify.Thread{})
	if a.Kind != notify.Recipient || a.Reason != notify.ReasonRecipientsRefused || !slices.Equal(a.Refused, []string{"b@example.com"}) || len(a.Later) > 0 || a.Ref == "" || !strings.Contains(a.Error, "sandbox") {
		t.Errorf("%+v", a)
	}
	got := web.Take()
	if len(got) != 2 {
		t.Fatalf("%d requests", len(got))
	}
	if second := read(t, got[1]); !slices.Equal(second.to, []string{"a@example.com", "c@example.com"}) || strings.Contains(second.header(t).Get("To"), "b@example.com") {
		t.Errorf("to %v", second.to)
	}
}

func TestARecipientThatSESCannotWriteToKeepsTheMailFromNobodyElse(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, took("id"))
	c := content
	c.To = []string{"jürgen@example.com", "a@example.com"}
	a := sender(web.URL, nil).Send(t.Context(), "k", c, notify.Thread{})
	if a.Kind != notify.Recipient || !slices.Equal(a.Refused, []string{"jürgen@example.com"}) || !strings.Contains(a.Error, "ASCII") {
		t.Errorf("%+v", a)
	}
	if got := read(t, web.One()); !slices.Equal(got.to, []string{"a@example.com"}) {
		t.Errorf("to %v", got.to)
	}
}

func TestAMessageWhoseOwnRecipientsAreNoGoodDoesNotParkTheChannel(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, refuse(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-WEST-1: gone@example.com"))
	s := sender(web.URL, nil)
	for _, to := range [][]string{{"gone@example.com"}, {"no address"}, {"ü@example.com"}, slices.Repeat([]string{"a@example.com"}, 51)} {
		c := content
		c.To = to
		if a := s.Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Smaller || a.Error == "" {
			t.Errorf("%s: %+v", to, a)
		}
	}
	_ = web.One()
	denied := notifytest.NewWeb(t, refuse(403, "AccessDenied", "no"))
	c := content
	c.To = []string{"a@example.com"}
	if a := sender(denied.URL, nil).Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Park {
		t.Errorf("the channel is broken: %+v", a)
	}
	_ = denied.One()
}

func TestFilesBeyondTheLimitAreLeftOutAndSaid(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, took("id"))
	c := content
	c.Attachments = []notify.Attachment{{Name: "big.csv", Data: make([]byte, 8<<20)}, {Name: "most.csv", Data: make([]byte, 7<<20-4)}, {Name: "small.csv", Data: []byte("a,b\n")}}
	a := sender(web.URL, nil).Send(t.Context(), "k", c, notify.Thread{})
	if a.Kind != notify.Sent || !strings.Contains(a.Note, "a mail carries 7.0 MiB of files: big.csv (8.4 MB)") {
		t.Errorf("%+v", a)
	}
	if got := read(t, web.One()); len(got.raw) > 10<<20 || len(got.raw) < 9<<20 || !bytes.Contains(got.raw, []byte("most.csv")) || !bytes.Contains(got.raw, []byte("small.csv")) {
		t.Errorf("%d bytes", len(got.raw))
	}
}

func TestAMailThatIsTooLargeAllTheSameIsNotSent(t *testing.T) {
	t.Parallel()
	c := content
	c.Text, c.Attachments = strings.Repeat("ж", 2<<20), nil // six characters for each byte, 12 for each letter
	if a := sender("http://127.0.0.1:1", nil).Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Smaller || a.Reason != notify.ReasonTooLarge || !strings.Contains(a.Error, "10485760") {
		t.Errorf("%+v", a)
	}
}

func TestAServiceThatIsNotThereIsTriedAgain(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	_ = listener.Close()
	if a := sender(address, nil).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonNoAnswer || a.Ambiguous || !strings.Contains(a.Error, "refused") {
		t.Errorf("%+v", a)
	}
	cfg := configuration(address)
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, http.ErrNoCookie })
	if a := sesmail.New(cfg, settings, nil).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Park || a.Reason != notify.ReasonDenied || a.Ambiguous {
		t.Errorf("%+v", a)
	}
}

func TestAProgramThatEndsInTheMiddleOfASendDoesNotWait(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	web := notifytest.NewWeb(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	begun := time.Now()
	if a := sender(web.URL, nil).Send(ctx, "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonCanceled || !a.Ambiguous {
		t.Errorf("%+v", a)
	}
	_ = web.One()
	if took := time.Since(begun); took > 4*time.Second { // the service's own time is 5 s
		t.Errorf("it took %s", took)
	}
}
