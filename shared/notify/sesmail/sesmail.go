// Package sesmail sends mails by Amazon SES: the call SendRawEmail of its first API, which takes a mail as it is, attachments too.
//
// SES gives each mail a Message-ID and a Date of its own, in place of those that the mail came with. So a mail that is sent again
// is another one to mail programs, and what follows a mail names the id that SES answered.
//
// It imports awserror, mailmessage, notify, plainbody and secret of ours.
package sesmail

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
	"waggle/shared/plainbody"
	"waggle/shared/secret"
)

// Timeout is how long SES may take for a mail, from the first byte sent to the answer.
const Timeout = 10 * time.Second

const (
	// maxRaw is how many bytes SES takes, headers and encoded files included.
	maxRaw = 10 << 20
	// maxFiles is how many bytes of files go along: base64 makes 9.6 MB of them, so that 400 KB are left for texts.
	maxFiles = 7 << 20
)

// Options are the optional parts of a Sender. The zero value and nil mean all defaults.
type Options struct {
	// ConfigurationSet is that of SES by which bounces and complaints are counted. Empty: the one of the sender's identity, if it has any.
	ConfigurationSet string
	// Timeout defaults to Timeout.
	Timeout time.Duration
	// Masker takes secrets out of errors. Nil: nothing is.
	Masker *secret.Masker
	// Now is the clock of the Date header, which SES replaces. Nil: time.Now.
	Now func() time.Time
}

// Sender sends in one region, with the credentials of one configuration. Safe for several goroutines.
type Sender struct {
	client   *ses.Client
	settings notify.SESSettings
	opts     Options
}

// New returns a sender with these settings, in the region and with the credentials and endpoint of a loaded configuration. It sends nothing.
func New(cfg aws.Config, settings notify.SESSettings, opts *Options) *Sender {
	s := &Sender{settings: settings}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Timeout == 0 {
		s.opts.Timeout = Timeout
	}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	s.client = ses.NewFromConfig(cfg, func(o *ses.Options) {
		if o.HTTPClient == nil {
			o.HTTPClient = awshttp.NewBuildableClient()
		}
		o.HTTPClient = plainbody.Client{Doer: o.HTTPClient}
		o.Retryer = aws.NopRetryer{} // a try is a try: whoever calls knows when to try again, and what a repeat means
	})
	return s
}

// Send sends one mail to all recipients. Its Ref is the Message-ID that SES gave it. In the sandbox of SES a mail goes to those
// recipients that are verified, and the answer is Recipient. Where a message names recipients of its own and none of them is any good, the
// answer is Smaller, as the channel is not to blame and no other message has to wait.
func (s *Sender) Send(ctx context.Context, _ string, c notify.Content, t notify.Thread) notify.Answer {
	own := len(c.To) > 0
	if !own {
		c.To = s.settings.To
	}
	a := s.deliver(ctx, c, t)
	if own && a.Kind == notify.Park && (a.Reason == notify.ReasonNoRecipients || a.Reason == notify.ReasonRejected) {
		a.Kind = notify.Smaller
	}
	return a
}

// deliver sends to the recipients of the content, but for those that SES cannot send to.
func (s *Sender) deliver(ctx context.Context, c notify.Content, t notify.Thread) notify.Answer {
	c.To = slices.Clone(c.To)
	var refused []string
	var first string // what was said of them
	refuse := func(addresses []string, err error) {
		refused = append(refused, addresses...)
		if first == "" {
			first = notify.ErrorText(err.Error(), s.opts.Masker)
		}
	}
	for {
		mail, err := mailmessage.MIME(c, mailmessage.Envelope{From: s.settings.From, Thread: t, Time: s.opts.Now(), Attachments: maxFiles})
		switch {
		case err != nil:
			return s.answer(notify.Park, notify.ReasonRejected, err)
		case len(mail.To) > notify.MaxSESRecipients:
			return s.answer(notify.Park, notify.ReasonRejected, fmt.Errorf("the mail has %d recipients, and SES takes %d (send to a list's address)", len(mail.To), notify.MaxSESRecipients))
		case len(mail.Data) > maxRaw:
			return s.answer(notify.Smaller, notify.ReasonTooLarge, fmt.Errorf("the mail has %d bytes, and SES takes %d", len(mail.Data), maxRaw))
		}
		unwritable := slices.DeleteFunc(slices.Clone(mail.To), isASCII)
		var answer notify.Answer
		if len(unwritable) > 0 {
			err = fmt.Errorf("SES sends to addresses of ASCII alone, not to %s (write its domain as xn--)", strings.Join(unwritable, ", "))
		} else {
			answer, unwritable, err = s.send(ctx, mail)
		}
		if len(unwritable) == 0 {
			if answer.Kind.Delivered() && len(refused) > 0 {
				answer.Kind, answer.Reason, answer.Refused, answer.Error = notify.Recipient, notify.ReasonRecipientsRefused, refused, first
			}
			return answer
		}
		refuse(unwritable, err)
		if len(unwritable) == len(mail.To) {
			none := notify.Answer{Kind: notify.Park, Reason: notify.ReasonNoRecipients, Error: first, Refused: refused}
			return none
		}
		var rest []string
		for i, to := range c.To {
			if !slices.Contains(unwritable, mail.To[i]) {
				rest = append(rest, to)
			}
		}
		c.To = rest
	}
}

// send makes the call. It returns the recipients that are not verified where those alone keep the mail from leaving, and then no answer.
func (s *Sender) send(ctx context.Context, mail mailmessage.Mail) (a notify.Answer, unverified []string, err error) {
	limited, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	var written atomic.Bool // has the whole request left?
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { written.Store(false) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	})
	in := &ses.SendRawEmailInput{RawMessage: &types.RawMessage{Data: mail.Data}, Source: &mail.From, Destinations: mail.To}
	if set := s.opts.ConfigurationSet; set != "" {
		in.ConfigurationSetName = &set
	}
	out, err := s.client.SendRawEmail(traced, in)
	if err != nil {
		if unverified, hinted := s.onlyRecipients(err, mail); len(unverified) > 0 {
			return a, unverified, hinted
		}
		return s.refused(ctx, err, mail, written.Load()), nil, nil
	}
	return notify.Answer{Kind: notify.Sent, Reason: notify.ReasonTaken, Ref: s.messageID(aws.ToString(out.MessageId)), Note: mail.LeftOut}, nil, nil
}

// messageID is the Message-ID that recipients see. SES answers the part before the @:
// https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
func (s *Sender) messageID(id string) string {
	switch region := s.client.Options().Region; {
	case id == "":
		return ""
	case strings.Contains(id, "@"):
		return "<" + id + ">"
	case region == "us-east-1":
		return "<" + id + "@email.amazonses.com>"
	default:
		return "<" + id + "@" + region + ".amazonses.com>"
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e })
}
