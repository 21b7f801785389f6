package sesmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"waggle/shared/awserror"
	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
)

// overQuota is the wait where the mails of 24 hours are used up: the quota comes back bit by bit as they pass.
const overQuota = 15 * time.Minute

func (s *Sender) answer(kind notify.AnswerKind, reason notify.Reason, err error) notify.Answer {
	return notify.Answer{Kind: kind, Reason: reason, Error: notify.ErrorText(err.Error(), s.opts.Masker)}
}

// failedCheck lists the identities that SES says are not verified.
var failedCheck = regexp.MustCompile(`(?i)not verified.*failed the check in region [A-Za-z0-9-]+: *(.+)$`)

// unverified are the identities that an answer of SES names as not verified; none where it names none.
func unverified(err error) []string {
	code, message, _ := awserror.Answer(err)
	if code != "MessageRejected" {
		return nil
	}
	found := failedCheck.FindStringSubmatch(strings.TrimSpace(message))
	if found == nil {
		return nil
	}
	identities := strings.Split(found[1], ",")
	for i, one := range identities {
		identities[i] = strings.TrimSpace(one)
		if at := strings.LastIndexByte(one, '<'); at >= 0 { // "Team <team@example.com>"
			identities[i] = strings.Trim(one[at:], "<> ")
		}
	}
	return identities
}

// onlyRecipients returns those recipients of a mail that are not verified, where nothing else is: SES is in its sandbox.
func (s *Sender) onlyRecipients(err error, mail mailmessage.Mail) ([]string, error) {
	var recipients []string
	for _, one := range unverified(err) {
		at := slices.IndexFunc(mail.To, func(to string) bool { return strings.EqualFold(to, one) })
		if at < 0 || strings.EqualFold(one, mail.From) {
			return nil, nil
		}
		recipients = append(recipients, mail.To[at])
	}
	return recipients, hinted{err, "SES is in its sandbox in " + s.region() + ", where it sends to verified addresses alone: verify them there, or ask for production access"}
}

func (s *Sender) region() string { return s.client.Options().Region }

// hinted is what SES said, with the next step.
type hinted struct {
	err  error
	hint string
}

func (h hinted) Error() string {
	text := awserror.Text(h.err)
	if h.hint != "" {
		text += " (" + h.hint + ")"
	}
	return text
}

// refused is the answer where the mail did not leave, or nobody knows. written says that SES may have all of it.
func (s *Sender) refused(ctx context.Context, err error, mail mailmessage.Mail, written bool) notify.Answer {
	code, message, answered := awserror.Answer(err)
	if !answered {
		return s.unanswered(ctx, err, written)
	}
	message = strings.ToLower(message)
	kind, reason, hint := s.meaning(code, message, awserror.Status(err), mail)
	a := s.answer(kind, reason, hinted{err, hint})
	switch {
	case reason == notify.ReasonRateLimited && strings.Contains(message, "quota"):
		a.After = overQuota
	case reason == notify.ReasonServerError:
		a.Ambiguous = awserror.Status(err) != 503 // that is a refusal; others may come after the mail was taken
	}
	return a
}

// unanswered is the answer where SES gave none that can be read.
func (s *Sender) unanswered(ctx context.Context, err error, written bool) notify.Answer {
	written = written || awserror.Status(err) > 0 // an answer began, perhaps before this side had noted that its request was out
	a := notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNoAnswer, Ambiguous: written}
	text := awserror.Text(err)
	var stranger *tls.CertificateVerificationError
	switch {
	case errors.As(err, &stranger):
		a = notify.Answer{Kind: notify.Park, Reason: notify.ReasonTLS}
	case errors.Is(ctx.Err(), context.Canceled):
		a.Reason = notify.ReasonCanceled
	case awserror.NoCredentials(err):
		a.Kind, a.Reason, text = notify.Park, notify.ReasonDenied, text+" (give this program credentials of AWS)"
	case errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("no answer within %s: %s", s.opts.Timeout, text)
	case written:
		a.Reason = notify.ReasonCutOff
	}
	a.Error = notify.ErrorText(text, s.opts.Masker)
	return a
}

// meaning is the table from what SES says, in small letters, to what follows, with the next step for whoever keeps the deployment.
func (s *Sender) meaning(code, message string, status int, mail mailmessage.Mail) (notify.AnswerKind, notify.Reason, string) {
	kind := awserror.KindOf(code)
	if code == "LimitExceededException" {
		kind = awserror.Throttled
	}
	switch kind {
	case awserror.Throttled:
		if strings.Contains(message, "quota") {
			return notify.Retry, notify.ReasonRateLimited, "ask AWS for a higher sending quota in " + s.region() + ", or for production access where SES is in its sandbox"
		}
		return notify.Retry, notify.ReasonRateLimited, ""
	case awserror.Denied:
		return notify.Park, notify.ReasonDenied, "allow the role or user ses:SendRawEmail from " + mail.From
	case awserror.Unknown, awserror.Expired, awserror.BadSignature:
		return notify.Park, notify.ReasonDenied, "AWS does not take the credentials of this program; look at the clock too"
	}
	switch code {
	case "MessageRejected":
		switch {
		case strings.Contains(message, "not verified"):
			return notify.Park, notify.ReasonDenied, "verify the sender " + mail.From + " or its domain in SES, region " + s.region() + ", or set MAIL_FROM to a verified one"
		case strings.Contains(message, "paused"), strings.Contains(message, "under review"), strings.Contains(message, "shut down"):
			return notify.Park, notify.ReasonRejected, "look at the account's status in SES, region " + s.region()
		}
		return notify.Smaller, notify.ReasonRefused, ""
	case "FromEmailAddressNotVerified", "FromEmailAddressNotVerifiedException":
		return notify.Park, notify.ReasonDenied, "verify the sender " + mail.From + " or its domain in SES, region " + s.region()
	case "MailFromDomainNotVerified", "MailFromDomainNotVerifiedException":
		return notify.Park, notify.ReasonDenied, "add the MX record of the sender's MAIL FROM domain, as SES shows it in region " + s.region()
	case "ConfigurationSetDoesNotExist", "ConfigurationSetDoesNotExistException":
		return notify.Park, notify.ReasonRejected, "make the configuration set in SES, region " + s.region() + ", or deploy again"
	case "ConfigurationSetSendingPaused", "ConfigurationSetSendingPausedException", "AccountSendingPaused", "AccountSendingPausedException":
		return notify.Park, notify.ReasonRejected, "somebody or AWS paused sending: look at the account's status in SES, region " + s.region()
	case "ProductionAccessNotGranted", "ProductionAccessNotGrantedException":
		return notify.Park, notify.ReasonRejected, "ask AWS for production access of SES in " + s.region()
	case "InvalidParameterValue", "InvalidParameterCombination", "ValidationError", "ValidationException":
		if strings.Contains(message, "length is more than") || strings.Contains(message, "too long") || strings.Contains(message, "too large") {
			return notify.Smaller, notify.ReasonTooLarge, ""
		}
		if strings.Contains(message, "address") || strings.Contains(message, "domain") || strings.Contains(message, "@") {
			return notify.Park, notify.ReasonNoRecipients, "SES does not say which: look at " + strings.Join(mail.To, ", ") + " and at the sender " + mail.From
		}
		return notify.Smaller, notify.ReasonRefused, ""
	}
	switch {
	case status == 413:
		return notify.Smaller, notify.ReasonTooLarge, ""
	case status == 429:
		return notify.Retry, notify.ReasonRateLimited, ""
	case status == 401, status == 403:
		return notify.Park, notify.ReasonDenied, "allow the role or user ses:SendRawEmail from " + mail.From
	case status == 400, status == 422:
		return notify.Smaller, notify.ReasonRefused, ""
	case status == 408, status == 425:
		return notify.Retry, notify.ReasonServerError, ""
	case status > 400 && status < 500:
		return notify.Park, notify.ReasonRejected, "is " + s.region() + " a region of SES?"
	}
	return notify.Retry, notify.ReasonServerError, ""
}
