package outbox

import (
	"encoding/json"
	"html"
	"strings"

	"github.com/slack-go/slack"

	"waggle/shared/notify/slackmessage"
)

// slackPicture is a Slack message's content as HTML.
func slackPicture(p slackmessage.Payload) string {
	var blocks slack.Blocks
	if len(p.Blocks) == 0 || json.Unmarshal(p.Blocks, &blocks) != nil {
		return `<div class="section">` + mrkdwn(p.Text) + "</div>\n"
	}
	var b strings.Builder
	for _, block := range blocks.BlockSet {
		b.WriteString(slackBlock(block) + "\n")
	}
	return b.String()
}

func slackBlock(block slack.Block) string {
	switch b := block.(type) {
	case *slack.HeaderBlock:
		return `<div class="header">` + slackText(b.Text) + "</div>"
	case *slack.DividerBlock:
		return "<hr>"
	case *slack.SectionBlock:
		return slackSection(b)
	case *slack.ContextBlock:
		var parts []string
		for _, e := range b.ContextElements.Elements {
			switch e := e.(type) {
			case *slack.TextBlockObject:
				parts = append(parts, "<span>"+slackText(e)+"</span>")
			case slack.TextBlockObject:
				parts = append(parts, "<span>"+slackText(&e)+"</span>")
			case *slack.ImageBlockElement:
				parts = append(parts, "<span>["+html.EscapeString(e.AltText)+"]</span>")
			}
		}
		return `<div class="context">` + strings.Join(parts, " ") + "</div>"
	case *slack.ActionBlock:
		var buttons []string
		for _, e := range b.Elements.ElementSet {
			if button, ok := e.(*slack.ButtonBlockElement); ok {
				buttons = append(buttons, slackButton(button))
			}
		}
		return `<div class="actions">` + strings.Join(buttons, " ") + "</div>"
	case *slack.ImageBlock:
		// No request leaves for a picture: what the inbox shows is on this machine.
		return `<div class="context">[image: ` + html.EscapeString(b.AltText) + "]</div>"
	case *slack.MarkdownBlock:
		return `<div class="section">` + strings.ReplaceAll(html.EscapeString(b.Text), "\n", "<br>") + "</div>"
	}
	return `<div class="context">[a block of kind ` + html.EscapeString(string(block.BlockType())) + ", which this page cannot show]</div>"
}

func slackSection(b *slack.SectionBlock) string {
	var out strings.Builder
	out.WriteString(`<div class="section">`)
	if b.Accessory != nil && b.Accessory.ButtonElement != nil {
		out.WriteString(`<div class="accessory">` + slackButton(b.Accessory.ButtonElement) + "</div>")
	}
	if b.Text != nil {
		out.WriteString(slackText(b.Text))
	}
	if len(b.Fields) > 0 {
		out.WriteString(`<div class="fields">`)
		for _, f := range b.Fields {
			out.WriteString("<div>" + slackText(f) + "</div>")
		}
		out.WriteString("</div>")
	}
	out.WriteString("</div>")
	return out.String()
}

func slackButton(b *slack.ButtonBlockElement) string {
	class := "button"
	if b.Style != "" {
		class += " " + string(b.Style)
	}
	return `<a class="` + html.EscapeString(class) + `" href="` + safeURL(b.URL) + `" target="_blank" rel="noreferrer">` + slackText(b.Text) + "</a>"
}

// safeURL is a link's target for an attribute; anything but http and mailto leads nowhere.
func safeURL(url string) string {
	for _, scheme := range []string{"https://", "http://", "mailto:"} {
		if strings.HasPrefix(url, scheme) {
			return html.EscapeString(url)
		}
	}
	return "#"
}

func slackText(t *slack.TextBlockObject) string {
	switch {
	case t == nil:
		return ""
	case t.Type == slack.MarkdownType:
		return mrkdwn(t.Text)
	}
	return strings.ReplaceAll(plain(t.Text), "\n", "<br>")
}
