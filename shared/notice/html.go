package notice

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	template "github.com/DataDog/datadog-agent/pkg/template/html"

	"waggle/shared/report"
)

// The mail is laid out by tables, since Outlook knows nothing else, one column wide. Every style stands at its element,
// since several clients drop style sheets; the sheet at the top only turns the colours for dark mode, by class. It is
// html/template and not Markdown rendered by a library: a mail needs a style on every cell, and escaping by context.

//go:embed page.html.tmpl
var pageSource string

// pageTemplate is parsed once: a burst renders thousands.
var (
	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"css": styleOf}).Parse(pageSource))
	knownStyles  = styles()
	darkSheet    = dark()
)

func styleOf(name string) (template.CSS, error) {
	style, ok := knownStyles[name]
	if !ok {
		return "", fmt.Errorf("no style %q", name)
	}
	return template.CSS(style), nil
}

const (
	sans  = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
	fixed = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
	// breaks lets long names and paths break where they must, so that nothing is wider than a phone.
	breaks = "overflow-wrap:anywhere;word-break:break-word;"
)

func styles() map[string]string {
	return map[string]string{
		"paper":      "background-color:" + paper.Light + ";",
		"sheet":      "background-color:" + sheet.Light + ";" + sans + breaks,
		"preheader":  "color:" + ink.Light + ";",
		"mono":       fixed + "font-size:0.93em;",
		"h1":         "margin:0;font-size:22px;line-height:30px;font-weight:700;color:" + ink.Light + ";",
		"h2":         "margin:22px 0 6px;padding:14px 0 0;border-top:1px solid " + rule.Light + ";font-size:13px;line-height:18px;font-weight:700;color:" + muted.Light + ";",
		"p":          "margin:8px 0 0;font-size:16px;line-height:23px;color:" + ink.Light + ";",
		"button":     "background-color:" + buttonFill + ";border-radius:6px;",
		"buttontext": "display:inline-block;padding:11px 18px;font-size:15px;line-height:20px;font-weight:700;text-decoration:none;color:" + buttonInk + ";" + sans,
		"label":      "padding:3px 10px 3px 0;font-size:14px;line-height:20px;color:" + muted.Light + ";",
		"value":      "padding:3px 0;font-size:14px;line-height:20px;font-variant-numeric:tabular-nums;color:" + ink.Light + ";",
		"head":       "padding:5px 0 1px;font-size:15px;line-height:21px;color:" + ink.Light + ";",
		"right":      "padding:5px 0 1px 8px;font-size:14px;line-height:21px;font-variant-numeric:tabular-nums;color:" + muted.Light + ";",
		"note":       "padding:1px 0;font-size:14px;line-height:20px;color:" + muted.Light + ";",
		"code":       "margin:5px 0 4px;padding:9px 11px;border-radius:4px;white-space:pre-wrap;font-size:13px;line-height:19px;background-color:" + paper.Light + ";color:" + ink.Light + ";" + fixed,
		"after":      "padding:6px 0 0;font-size:14px;line-height:20px;color:" + muted.Light + ";",
		"foot":       "padding:14px 0 0;font-size:13px;line-height:18px;color:" + muted.Light + ";",
	}
}

// roles are the roles that have a class.
func roles() []report.Role {
	return []report.Role{report.Good, report.Bad, report.Warn, report.Running, report.Idle, report.Blocked}
}

func dark() template.CSS {
	var b strings.Builder
	rules := func(prefix string) {
		line := func(class, property, value string) {
			fmt.Fprintf(&b, "%s.%s { %s: %s !important }\n", prefix, class, property, value)
		}
		line("paper", "background-color", paper.Dark)
		line("sheet", "background-color", sheet.Dark)
		line("code", "background-color", paper.Dark)
		line("line", "border-color", rule.Dark)
		line("ink", "color", ink.Dark)
		line("muted", "color", muted.Dark)
		for _, role := range roles() {
			line(string(role), "color", ColourOf(role).Dark)
			line("top-"+string(role), "border-color", ColourOf(role).Dark)
		}
	}
	b.WriteString(":root { color-scheme: light dark; supported-color-schemes: light dark }\n@media (prefers-color-scheme: dark) {\n")
	rules("")
	b.WriteString("}\n")
	return template.CSS(b.String())
}

// htmlSpan, htmlState and the like are what the template reads.
type (
	htmlSpan struct {
		Text string
		Look int
	}
	htmlState struct {
		Class, Text string
		Style       template.CSS
	}
	htmlFact struct {
		Label string
		Value []htmlSpan
	}
	htmlRow struct {
		Title      bool
		State      *htmlState
		Head       []htmlSpan
		Right, Cut string
		Notes      [][]htmlSpan
		Code       []string
	}
	htmlPart struct {
		Title, After string
		Facts        []htmlFact
		Rows         []htmlRow
	}
	htmlPage struct {
		Subject, Line string
		Name          []htmlSpan
		State         htmlState
		Dark, Top     template.CSS
		Lead, Foot    [][]htmlSpan
		Parts         []htmlPart
		Link, Label   string
	}
)

// html is the page as a mail.
func (p page) html(subject, line string) (string, error) {
	view := htmlPage{Subject: subject, Line: line, Name: say(p.name).html(), State: stateHTML(p.state), Dark: darkSheet,
		Top:  template.CSS("border-top:4px solid " + ColourOf(p.state.Role).Light + ";"),
		Lead: manyHTML(p.lead), Foot: manyHTML(p.foot), Link: p.where.link, Label: p.where.label}
	for _, part := range p.all() {
		out := htmlPart{Title: part.title, After: part.after}
		for _, f := range part.facts {
			out.Facts = append(out.Facts, htmlFact{f.label, f.value.html()})
		}
		for _, r := range part.rows {
			row := htmlRow{Title: r.title() != "", Head: r.head.html(), Right: together(r.right), Cut: r.cut, Notes: manyHTML(r.notes), Code: indented(r.code)}
			if r.state != nil {
				s := stateHTML(*r.state)
				row.State = &s
			}
			out.Rows = append(out.Rows, row)
		}
		view.Parts = append(view.Parts, out)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, view); err != nil {
		return "", err
	}
	return b.String(), nil
}

// Spans that stay on one line.
const (
	htmlWhole     = 3
	htmlMonoWhole = 4
	maxWhole      = 20 // characters of a name that fit beside a number on a phone
)

var htmlTogether = regexp.MustCompile(`\d{4}-\d\d-\d\d(?: \d\d:\d\d)?|\d[\d.]* (?:ns|µs|ms|s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?`)

// html keeps times and short names on one line: they break at their hyphens else.
func (w words) html() []htmlSpan {
	var out []htmlSpan
	for _, s := range w {
		switch {
		case s.look == mono && len(s.text) <= maxWhole && !strings.Contains(s.text, " "):
			out = append(out, htmlSpan{s.text, htmlMonoWhole})
		case s.look == plain:
			rest := s.text
			for _, at := range htmlTogether.FindAllString(s.text, -1) {
				before, after, _ := strings.Cut(rest, at)
				out = append(out, htmlSpan{before, int(plain)}, htmlSpan{at, htmlWhole})
				rest = after
			}
			out = append(out, htmlSpan{rest, int(plain)})
		default:
			out = append(out, htmlSpan{s.text, int(s.look)})
		}
	}
	return out
}

// indented keeps the blanks before lines where white-space is not known, and at lines that are broken.
func indented(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		text := strings.TrimLeft(line, " ")
		out[i] = strings.Repeat("\u00a0", len(line)-len(text)) + text
	}
	return out
}

// together breaks a text behind commas alone: "508 rows, 12.3 ms".
func together(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, " ", "\u00a0"), ",\u00a0", ", ")
}

func manyHTML(lines []words) [][]htmlSpan {
	out := make([][]htmlSpan, len(lines))
	for i, l := range lines {
		out[i] = l.html()
	}
	return out
}

func stateHTML(s report.State) htmlState {
	class := string(s.Role)
	if class == "" {
		class = "ink"
	}
	return htmlState{class, s.Text(), template.CSS("color:" + ColourOf(s.Role).Light + ";font-weight:700;white-space:nowrap;")}
}
