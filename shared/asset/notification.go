package asset

import (
	"bytes"
	"fmt"
	"strings"

	template "github.com/DataDog/datadog-agent/pkg/template/text"

	"waggle/shared/fault"
	"waggle/shared/notify"
)

// NotificationOptions are the optional parts of a notification asset. The zero value and nil mean all defaults.
type NotificationOptions struct {
	// Options are those of every asset. Group defaults to "notifications", Kinds to the kind of the channel and "notification". Deps
	// are the assets after which the message is sent, and of which it may tell.
	Options
	// Subject is the template of a mail's subject; elsewhere it is the first line. Line breaks become spaces. Empty, also
	// when it was executed: the first line of the text.
	Subject string
}

// Notification declares an asset without a value that sends a message to a channel when the assets in Deps are there:
//
//	var salesReady = asset.Notification("sales_ready", `{{(.Asset "sales").Metadata.record_count}} sales are ready`, slack,
//		&asset.NotificationOptions{Options: asset.Options{Deps: asset.List{sales}}})
//
// Text is a template as text/template has it, over NotificationData, which says what may be called of it. Validate reports one that does not parse, a key in .Asset "key" that
// is not in Deps, and a channel that Definitions.Channels does not list. A template that fails when the step runs, as by a label that the
// asset did not report, or that gives no text, does not fail the step: a plain message is sent that names the assets and says so, and a
// WARNING is logged.
//
// The message is sent as Context.Notify says: once a run, however often the step is tried. The step succeeds when the message was sent, or is
// still tried after 10 s (delivery_state in its metadata), and fails where the channel has given it up. It is skipped when one of Deps failed.
func Notification(key, text string, channel *notify.Channel, opts *NotificationOptions) *Asset[None] {
	var o NotificationOptions
	if opts != nil {
		o = *opts
	}
	def := channel.Definition()
	if o.Group == "" {
		o.Group = "notifications"
	}
	if len(o.Kinds) == 0 {
		o.Kinds = []string{"notification"}
		if def != nil {
			o.Kinds = []string{string(def.Kind), "notification"}
		}
	}
	n := &notification{key: Key(key), channel: channel}
	a := Do(key, n.send, &o.Options)
	a.def.Origin, a.def.Channel = Origin(2), def
	if def == nil {
		a.def.mistake("its channel is nil")
	}
	if strings.TrimSpace(text) == "" {
		a.def.mistake("its text is empty; write what people are to read")
	}
	n.deps, n.text, n.subject = a.def.Deps, a.def.template("text", text), a.def.template("subject", o.Subject)
	return a
}

// template parses one template of a notification, and reports what is wrong with it.
func (d *Definition) template(name, text string) *template.Template {
	t, err := template.New(name).Option("missingkey=error").Funcs(methods).Parse(text)
	if err != nil {
		d.mistake("its %s does not parse: %w", name, err)
		return nil
	}
	var known NotificationData
	for _, dep := range d.Deps {
		known.Assets = append(known.Assets, Told{Key: dep.Key})
	}
	for _, key := range keysIn(t) {
		if _, err := known.Asset(key); err != nil {
			d.mistake("its %s: %w", name, err)
		}
	}
	callMethods(t)
	return t
}

// notification is a notification asset as declared.
type notification struct {
	key           Key
	channel       *notify.Channel
	deps          []*Definition
	text, subject *template.Template
}

// send gives the message to the channel. An error of the store fails the step; one of a template does not.
func (n *notification) send(ctx *Context) error {
	data := NotificationData{Run: ctx.RunID(), Job: ctx.Job()}
	for _, dep := range n.deps {
		m, err := ctx.step.Materialization(ctx, dep)
		if err != nil && !isNotFound(err) {
			return err
		}
		data.Assets = append(data.Assets, Told{Key: dep.Key, Run: m.Run, Time: m.Time.UTC(), Metadata: m.Metadata})
	}
	message, err := n.message(data)
	if err != nil {
		ctx.Log.Warn("The template of the message failed; a plain message is sent", "error", err.Error())
		message = n.plain(data, err)
	}
	return ctx.Notify(message, n.channel)
}

// message executes the templates.
func (n *notification) message(data NotificationData) (notify.Message, error) {
	subject, err := execute(n.subject, data)
	if err != nil {
		return notify.Message{}, err
	}
	text, err := execute(n.text, data)
	if err != nil {
		return notify.Message{}, err
	}
	if strings.TrimSpace(text) == "" {
		return notify.Message{}, fault.New(fault.Invalid, "the text is empty")
	}
	return notify.Message{Subject: strings.Join(strings.Fields(subject), " "), Text: text}, nil
}

func execute(t *template.Template, data NotificationData) (string, error) {
	var b bytes.Buffer
	err := t.Execute(&b, data)
	return b.String(), err
}

// maxPlainSubject is how many characters a subject has that names assets; the text names them all.
const maxPlainSubject = 150

// plain is the message in place of one whose template failed.
func (n *notification) plain(data NotificationData, failed error) notify.Message {
	what := string(n.key) + " ran"
	if len(data.Assets) > 0 {
		keys := make([]string, len(data.Assets))
		for i, a := range data.Assets {
			keys[i] = string(a.Key)
		}
		what = "made: " + strings.Join(keys, ", ")
	}
	where := "Run " + data.Run.Short()
	if data.Job != "" {
		where += " of " + data.Job
	}
	return notify.Message{Subject: notify.Cut("[Waggle] "+what, maxPlainSubject), Text: fmt.Sprintf("%s %s\n\nThe template of %s failed, so this plain message is sent:\n%v\n\nwaggle runs show %s\n",
		where, what, n.key, failed, data.Run.Short())}
}
