package notify

import (
	"context"
	"time"

	"waggle/shared/secret"
)

// Sender sends to one channel. Safe for several goroutines.
type Sender interface {
	// Send tries once, and gives up within seconds. key is the same for every try to send one message, and differs between
	// messages: letters, digits and -_.#/ , 200 at most. A thread of the zero value is a message of its own.
	Send(ctx context.Context, key string, c Content, t Thread) Answer
}

// Editor is a Sender that may be able to replace the text of a message that it sent: Thread.Edit.
type Editor interface {
	Edits() bool
}

// StandIn is a Sender in place of one that is not configured, as an outbox is.
type StandIn interface {
	Sender
	// Missing names what would configure the channel: variables of the environment, or references.
	Missing() []string
}

// Thread is what a message follows. Only what an Answer said goes in: references are the service's own.
type Thread struct {
	// Root is the Ref of the first message of the thread: a reply goes below it. Empty: the message opens a thread.
	Root string `json:"root,omitempty"`
	// Last is the Ref of the newest one. Empty: Root.
	Last string `json:"last,omitempty"`
	// Edit replaces the text of Root where the channel can; elsewhere it is a reply.
	Edit bool `json:"edit,omitempty"`
	// Broadcast shows a reply to the whole channel too, where the channel tells the two apart: a resolve.
	Broadcast bool `json:"broadcast,omitempty"`
}

// Answer is what became of one try to send.
type Answer struct {
	Kind AnswerKind
	// Reason is why, of the closed set below.
	Reason Reason
	// Ref is what the service calls the message, for Thread; empty where it says nothing, as Slack's webhooks do.
	Ref string
	// Where is where a person can look at what was sent: a page of the outbox. Empty: in the channel alone.
	Where string
	// After is how long the service asked to wait. Zero: it did not say.
	After time.Duration
	// Refused are the recipients that were refused for good; the others got the message where Kind is Recipient.
	Refused []string
	// Later are recipients that were refused for now, a full mailbox or greylisting; only they should be tried again. Others got it.
	Later []string
	// Note is what was left out of a message that was sent: attachments too large. May be empty.
	Note string
	// Error is what the service said, with its status, secrets masked, cut at 1,000 characters; empty where it took the message.
	Error string
	// Ambiguous says that the message may have arrived although no answer said so: sending it again may show it twice.
	Ambiguous bool
}

// maxError is how much of what a service said is kept, in characters.
const maxError = 1_000

// ErrorText is what a service said, as it is kept: one line, secrets masked, cut.
func ErrorText(text string, m *secret.Masker) string {
	text = oneLine(text)
	if m != nil {
		text = m.Mask(text)
	}
	return Cut(text, maxError)
}

// AnswerKind says what follows from a try to send.
type AnswerKind string

// The five answers.
const (
	Sent      AnswerKind = "sent"      // the service took it
	Retry     AnswerKind = "retry"     // the same may work later
	Smaller   AnswerKind = "smaller"   // this message does not pass, mostly as it is too large or malformed: the next rung
	Recipient AnswerKind = "recipient" // sent, but some recipients were refused
	Park      AnswerKind = "park"      // the channel is broken: its messages wait until somebody mends it
)

// Delivered reports whether the message was sent to somebody.
func (k AnswerKind) Delivered() bool { return k == Sent || k == Recipient }

// Reason is why an answer is as it is, for records and people.
type Reason string

// The reasons, by the answer they come with.
const (
	// Sent.
	ReasonTaken  Reason = "taken"  // by the service
	ReasonEdited Reason = "edited" // an earlier message shows it now
	ReasonStored Reason = "stored" // written to the outbox

	// Retry.
	ReasonRateLimited Reason = "rate_limited" // too many messages; After says how long to wait
	ReasonNoAnswer    Reason = "no_answer"    // not reached, or silent until the time was up
	ReasonCutOff      Reason = "cut_off"      // the connection ended in the middle of the message
	ReasonServerError Reason = "server_error" // the service failed by itself
	ReasonNotWritten  Reason = "not_written"  // the outbox's folder has no room
	ReasonCanceled    Reason = "canceled"     // this program is ending

	// Smaller.
	ReasonTooLarge Reason = "too_large" // for the channel
	ReasonRefused  Reason = "refused"   // the service, or the check before sending, found the payload malformed

	// Recipient.
	ReasonRecipientsRefused Reason = "recipients_refused"

	// Park.
	ReasonGone         Reason = "gone"          // the webhook or the Slack channel no longer exists
	ReasonDenied       Reason = "denied"        // the service refuses the token, password, signature or sender
	ReasonTLS          Reason = "tls"           // the server's certificate does not verify
	ReasonNoStartTLS   Reason = "no_starttls"   // the mail server offers no encryption
	ReasonNoRecipients Reason = "no_recipients" // the server refuses every recipient
	ReasonRejected     Reason = "rejected"      // the service refuses for another reason that waiting does not change
)
