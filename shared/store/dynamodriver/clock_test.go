package dynamodriver_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// at answers as DynamoDB does whose clock is ahead: it takes no signature that is five minutes off, and dates its answers.
func at(ahead time.Duration, then reply) reply {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Add(ahead).UTC()
		w.Header().Set("Date", now.Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		switch off := now.Sub(signed); {
		case err != nil:
			failing(400, "IncompleteSignatureException", err.Error())(w, r)
		case off > 5*time.Minute:
			failing(400, "InvalidSignatureException", fmt.Sprintf("Signature expired: %s is now earlier than %s", signed, now))(w, r)
		case off < -5*time.Minute:
			failing(400, "InvalidSignatureException", fmt.Sprintf("Signature not yet current: %s is still later than %s", signed, now))(w, r)
		default:
			then(w, r)
		}
	}
}

func patient(t *testing.T, replies ...reply) (*wire, *dynamodriver.Driver) {
	t.Helper()
	w := newWire(t, replies...)
	d, err := dynamodriver.Open(t.Context(), "runs", &dynamodriver.Options{Indexes: indexes, Config: connection(w.URL), SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	return w, d
}

func TestAClockThatIsOffIsCorrectedByTheAnswers(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{2 * time.Minute, -2 * time.Minute, 20 * time.Minute, -20 * time.Minute} {
		replies := []reply{at(ahead, ok(`{}`)), at(ahead, ok(`{}`))}
		if ahead.Abs() > 5*time.Minute { // the first signature is refused, and the SDK signs anew by the answer's date
			replies = append(replies, at(ahead, ok(`{}`)))
		}
		_, d := patient(t, replies...)
		if off := time.Until(d.Now()); off.Abs() > time.Second || d.Skew() != 0 {
			t.Errorf("before any answer the time is %s off", off)
		}
		for range 2 {
			if err := d.Put(t.Context(), row(1), driver.Any); err != nil {
				t.Fatalf("%s ahead: %v", ahead, err)
			}
			if off := time.Until(d.Now()) - ahead; off.Abs() > 3*time.Second {
				t.Errorf("%s ahead: Now is %s off", ahead, off)
			}
		}
	}
}

func TestAClockThatIsAFewSecondsOffIsLeftAlone(t *testing.T) {
	t.Parallel()
	_, d := patient(t, at(2*time.Minute, ok(`{}`)), at(3*time.Second, ok(`{}`)))
	for _, corrected := range []bool{true, false} { // the clock is set right meanwhile
		if err := d.Put(t.Context(), row(1), driver.Any); err != nil {
			t.Fatal(err)
		}
		if got := d.Skew() != 0; got != corrected {
			t.Errorf("corrected by %s", d.Skew())
		}
	}
}

func TestAClockThatTheSDKCannotCorrectIsSaid(t *testing.T) {
	t.Parallel()
	undated := func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		failing(400, "InvalidSignatureException", "Signature expired: 20261125T100000Z is now earlier than 20261125T101500Z")(w, r)
	}
	_, d := patient(t, undated)
	wantCode(t, d.Put(t.Context(), row(1), driver.Any), fault.Denied, "the clock of this machine is wrong; set it")
}

// nowhere is a region without an endpoint.
type nowhere struct{}

func (nowhere) Do(r *http.Request) (*http.Response, error) {
	return nil, &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}
}

func TestAWrongRegionIsNamed(t *testing.T) {
	t.Parallel()
	config := func(region string, client aws.HTTPClient) *aws.Config {
		c := connection("")
		c.BaseEndpoint, c.Region, c.HTTPClient = nil, region, client
		return c
	}
	open := func(region string, client aws.HTTPClient) error {
		_, err := dynamodriver.Open(t.Context(), "runs", &dynamodriver.Options{Indexes: indexes, Config: config(region, client), Timeout: 300 * time.Millisecond})
		return err
	}
	wantCode(t, open("eu-nort-1", nowhere{}), fault.Unavailable, "open table runs", "no such host", "is region eu-nort-1 right, and is there a network?")
	wantCode(t, open("eu north 1", nowhere{}), fault.Invalid, `"eu north 1"`, "AWS_REGION")

	elsewhere := func(status int, code, message string) answers {
		w := newWire(t, failing(status, code, message))
		return answers{w}
	}
	wantCode(t, open("eu-west-1", elsewhere(400, "ResourceNotFoundException", "Requested resource not found: Table: runs not found")), fault.NotFound,
		"there is no table runs in region eu-west-1", "is the region right")
	wantCode(t, open("cn-north-1", elsewhere(400, "UnrecognizedClientException", "The security token included in the request is invalid.")), fault.Denied,
		"AWS does not know these credentials in region cn-north-1")
}

// answers sends every request to a wire, whatever its address.
type answers struct{ *wire }

func (a answers) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(context.WithoutCancel(r.Context()))
	host := strings.TrimPrefix(a.URL, "http://")
	r.URL.Scheme, r.URL.Host, r.Host = "http", host, host
	return http.DefaultClient.Do(r)
}
