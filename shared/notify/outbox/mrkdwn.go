package outbox

import (
	"html"
	"regexp"
	"strconv"
	"strings"
)

// emoji are those that messages about pipelines use; others stay as they are written.
var emoji = map[string]string{
	"white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "warning": "⚠️", "rotating_light": "🚨", "red_circle": "🔴", "large_green_circle": "🟢",
	"large_yellow_circle": "🟡", "large_blue_circle": "🔵", "white_circle": "⚪", "hourglass": "⌛", "lock": "🔒", "bee": "🐝", "honeybee": "🐝", "tada": "🎉", "fire": "🔥",
	"eyes": "👀", "bell": "🔔", "no_bell": "🔕", "information_source": "ℹ️", "rocket": "🚀", "bug": "🐛", "chart_with_upwards_trend": "📈", "package": "📦",
}

var (
	fenced  = regexp.MustCompile("(?s)```\n?(.*?)\n?```")
	inline  = regexp.MustCompile("`([^`\n]+)`")
	angled  = regexp.MustCompile(`<([^<>\n]+)>`)
	named   = regexp.MustCompile(`:([a-z0-9_+-]+):`)
	bold    = mark(`\*`)
	italic  = mark(`_`)
	strike  = mark(`~`)
	quote   = regexp.MustCompile(`(?m)^&gt; ?(.*)$`)
	kept    = regexp.MustCompile("\x01([0-9]+)\x02")
	control = regexp.MustCompile("[\x01\x02]")
)

// mark is text between two marks that stand at the edges of words, as Slack wants them.
func mark(sign string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s(\["'>])` + sign + `([^\s` + sign + `](?:[^\n` + sign + `]*[^\s` + sign + `])?)` + sign + `($|[\s)\].,!?:;"'<-])`)
}

// mrkdwn shows Slack's markup as HTML. What Slack would not read as markup stays text.
func mrkdwn(text string) string {
	var parts []string // of finished HTML, each in the text as its number between two control characters
	keep := func(html string) string {
		parts = append(parts, html)
		return "\x01" + strconv.Itoa(len(parts)-1) + "\x02"
	}
	text = control.ReplaceAllString(text, "")
	text = fenced.ReplaceAllStringFunc(text, func(s string) string {
		return keep("<pre>" + plain(fenced.FindStringSubmatch(s)[1]) + "</pre>")
	})
	text = inline.ReplaceAllStringFunc(text, func(s string) string { return keep("<code>" + plain(s[1:len(s)-1]) + "</code>") })
	text = angled.ReplaceAllStringFunc(text, func(s string) string { return keep(link(s[1 : len(s)-1])) })
	text = named.ReplaceAllStringFunc(text, func(s string) string {
		if sign := emoji[s[1:len(s)-1]]; sign != "" {
			return sign
		}
		return s
	})
	text = plain(text)
	text = bold.ReplaceAllString(text, "$1<b>$2</b>$3")
	text = italic.ReplaceAllString(text, "$1<i>$2</i>$3")
	text = strike.ReplaceAllString(text, "$1<s>$2</s>$3")
	text = quote.ReplaceAllString(text, "<blockquote>$1</blockquote>")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "</blockquote>\n", "</blockquote>"), "\n", "<br>")
	for range 2 { // code may stand in a link
		text = kept.ReplaceAllStringFunc(text, func(s string) string {
			i, err := strconv.Atoi(s[1 : len(s)-1])
			if err != nil || i >= len(parts) {
				return ""
			}
			return parts[i]
		})
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "<br><pre>", "<pre>"), "</pre><br>", "</pre>")
	return text
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// plain is text with Slack's three entities, as HTML.
func plain(text string) string { return html.EscapeString(entities.Replace(text)) }

// link is what stands between angle brackets: a URL with or without a label, or a mention.
func link(inner string) string {
	target, label, labelled := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(target, "https://"), strings.HasPrefix(target, "http://"), strings.HasPrefix(target, "mailto:"):
		if !labelled {
			label = strings.TrimPrefix(target, "mailto:")
		}
		return `<a href="` + plain(target) + `" target="_blank" rel="noreferrer">` + plain(label) + "</a>"
	case strings.HasPrefix(target, "!"):
		if label == "" {
			label = "@" + strings.TrimPrefix(target, "!")
		}
		return `<span class="mention">` + plain(label) + "</span>"
	case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
		if label == "" {
			label = target[1:]
		}
		return `<span class="mention">` + plain(target[:1]+strings.TrimLeft(label, "@#")) + "</span>"
	}
	return plain("<" + inner + ">")
}
