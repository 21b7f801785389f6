package courier

import (
	"maps"
	"slices"
	"strings"
	"time"

	"waggle/shared/event"
	"waggle/shared/notify"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// What each named reason is in words, for people: one line a reason, in the table of what it is said of. Words in braces are filled in.
// They say how it is and not what to do, as that depends on who asks.
var (
	// eventWords are the reasons of an event and a sensor.
	eventWords = map[string]string{
		// The matcher's.
		string(sensor.OtherEvent):    "it looks at events of another kind: {kind}",
		string(sensor.OtherStatus):   "it looks at runs that come to {statuses}",
		string(sensor.Resolves):      "it is not called for a success, and nobody waited to hear from it that the job works again",
		string(sensor.OtherJob):      "it looks at runs of {jobs} alone",
		string(sensor.WillBeRetried): "the run is run again; the last one of the chain counts",
		string(sensor.OtherAsset):    "it looks at {asset} alone",
		string(sensor.Refused):       "a blocking check failed on it, or did not answer",
		string(sensor.Passed):        "the check did not fail",
		string(sensor.OtherCheck):    "it looks at {checks} alone",
		string(sensor.LessSevere):    "it looks at failures of severity {severity} alone",
		string(sensor.LaterMissed):   "a later tick of the schedule was missed with it, and it is called for that one",
		// Of what became of one that matched.
		ReasonNotPublished:  "it looks at this, but the event is not published yet",
		ReasonNotTold:       "it looks at this now, but nothing is stored of it: whoever published the event had no sensor of this name that looked at it, or the row has expired",
		ReasonPending:       "its function is yet to be called",
		ReasonWorking:       "its function is being called, until {due} at most",
		ReasonRetrying:      "it could not be evaluated, and is tried again from {due} on",
		ReasonNotified:      "its messages are in their channels",
		ReasonQuiet:         "its function had nothing to say",
		ReasonNothingOpen:   "another success had ended what it told of",
		ReasonSwitchedOff:   "it was off when its function was to be called",
		ReasonHandlerFailed: "its function failed",
		ReasonMistake:       "its function called Notify wrongly",
		ReasonUnknownSensor: "those who looked had no sensor of this name in their definitions",
		ReasonLogExpired:    "nothing was known of the run any more when its function was to be called",
	}
	// messageWords are the reasons of a message in a channel.
	messageWords = map[string]string{
		ReasonRate:                             "its turn comes: the channel sends {rate}",
		ReasonWaiting:                          "it has not been sent yet",
		ReasonSameFailure:                      "people were told before that the job fails so",
		ReasonOlderEvent:                       "people were told of something newer",
		ReasonNothingOpen:                      "people were not told of a failure that ends",
		ReasonGivenUp:                          "it was tried for as long as messages are",
		ReasonTooLarge:                         "the channel refused it in every size",
		ReasonNoChannel:                        "those who looked had no channel of this name in their definitions",
		ReasonNotConfigured:                    "the channel lacks a setting",
		ReasonUnreadable:                       "the stored message does not read back",
		string(notify.ReasonTaken):             "the service took it",
		string(notify.ReasonEdited):            "an earlier message shows it now",
		string(notify.ReasonStored):            "it is in the outbox, as the channel is not configured",
		string(notify.ReasonRateLimited):       "the service asks for fewer messages",
		string(notify.ReasonNoAnswer):          "the service was not reached, or did not answer in time",
		string(notify.ReasonCutOff):            "the connection ended in the middle of the message",
		string(notify.ReasonServerError):       "the service failed by itself",
		string(notify.ReasonNotWritten):        "the outbox could not be written",
		string(notify.ReasonCanceled):          "the program that sent it was ending",
		string(notify.ReasonRecipientsRefused): "some recipients were refused, others got it",
		string(notify.ReasonGone):              "the webhook or the Slack channel is gone",
		string(notify.ReasonDenied):            "the service refuses the token, the password, the signature or the sender",
		string(notify.ReasonTLS):               "the certificate of the server does not verify",
		string(notify.ReasonNoStartTLS):        "the mail server offers no encryption",
		string(notify.ReasonNoRecipients):      "the mail server refuses every recipient",
		string(notify.ReasonRejected):          "the service refuses it, and waiting does not change that",
	}
	// runWords are what a run says of itself.
	runWords = map[string]string{
		NoteNoSensors:   "there is no sensor in the definitions",
		NoteNotEnded:    "the run has not ended, so what is told of its end is still to come",
		NoteWillRetry:   "the run failed and is run again: sensors of failures are called for the last run of the chain",
		NoteCanceled:    "the run was canceled: to sensors of failures that is one only where it ends a chain of retries",
		NoteLogExpired:  "the log of the run is gone, by its age: what did not match a sensor is not known any more",
		NoteMessageGone: "some messages are not listed: their rows have expired, or the definitions have their channel no longer",
	}
)

// Reasons lists every reason that Explain gives: of events, of messages, and of the run.
func Reasons() (events, messages, notes []string) {
	return slices.Sorted(maps.Keys(eventWords)), slices.Sorted(maps.Keys(messageWords)), slices.Sorted(maps.Keys(runWords))
}

// inWords fills a reason's words in: pairs of what stands in braces and what replaces it. A reason without words is itself, for rows of
// newer versions.
func inWords(table map[string]string, reason string, pairs ...string) string {
	text, ok := table[reason]
	if !ok {
		return strings.ReplaceAll(reason, "_", " ")
	}
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

// lookWords is what a sensor looks at, for the braces of eventWords.
func lookWords(def *sensor.Definition) []string {
	var statuses, jobs, checks []string
	for _, s := range def.Statuses {
		statuses = append(statuses, string(s))
	}
	if def.Kind == sensor.RunFailure {
		statuses = []string{"FAILURE"}
	}
	for _, j := range def.Options.Jobs {
		jobs = append(jobs, j.Name)
	}
	for _, c := range def.Options.Checks {
		checks = append(checks, c.Definition().Name)
	}
	asset := ""
	if def.Asset != nil {
		asset = string(def.Asset.Key)
	}
	return []string{"kind", string(def.Kind), "statuses", oneOf(statuses), "jobs", both(jobs), "asset", asset, "checks", both(checks), "severity", string(def.Options.Severity)}
}

func oneOf(list []string) string { return enumerated(list, "or") }
func both(list []string) string  { return enumerated(list, "and") }

// enumerated is "a, b or c".
func enumerated(list []string, last string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " " + last + " " + list[n-1]
	}
	return strings.Join(list, "")
}

// decided is an event with a reason that the matcher gives.
func decided(def *sensor.Definition, e event.Event, reason string) Decision {
	return Decision{Event: e, Reason: reason, Text: inWords(eventWords, reason, lookWords(def)...)}
}

// stood is an event as its row tells it.
func stood(row store.SensorEvent, reason string) Decision {
	d := Decision{Event: row.Event, Reason: reason, Error: row.Error, Stored: true, State: row.State, Attempts: row.Attempts, Due: row.Due, Ended: row.Ended, Given: row.Messages}
	d.Text = inWords(eventWords, reason, "due", clock(row.Due))
	return d
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
