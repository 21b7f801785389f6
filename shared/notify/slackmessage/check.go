package slackmessage

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// Check reports the first thing in an array of blocks that Slack would refuse, with the number of its block. Kinds of
// blocks that it does not know pass.
func Check(data json.RawMessage) error {
	var blocks slack.Blocks
	if err := json.Unmarshal(data, &blocks); err != nil {
		return fmt.Errorf("the blocks do not read as Block Kit: %w", err)
	}
	if n := len(blocks.BlockSet); n > MaxBlocks {
		return fmt.Errorf("%d blocks; Slack takes %d", n, MaxBlocks)
	}
	ids := map[string]bool{}
	markdown := 0
	for i, block := range blocks.BlockSet {
		id := block.ID()
		if len(id) > maxBlockID || id != "" && ids[id] {
			return fmt.Errorf("block %d: its block_id is too long or there twice", i+1)
		}
		ids[id] = true
		if m, ok := block.(*slack.MarkdownBlock); ok {
			markdown += utf8.RuneCountInString(m.Text)
		}
		if err := checkBlock(block); err != nil {
			return fmt.Errorf("block %d, %s: %w", i+1, block.BlockType(), err)
		}
	}
	if markdown > maxMarkdown {
		return fmt.Errorf("markdown blocks of %d characters; Slack takes %d", markdown, maxMarkdown)
	}
	return nil
}

func checkBlock(block slack.Block) error {
	switch b := block.(type) {
	case *slack.HeaderBlock:
		if b.Text != nil && b.Text.Type != slack.PlainTextType {
			return fmt.Errorf("its text must be plain_text")
		}
		return checkText("text", b.Text, MaxHeader)
	case *slack.SectionBlock:
		return checkSection(b)
	case *slack.ContextBlock:
		if n := len(b.ContextElements.Elements); n == 0 || n > maxElements {
			return fmt.Errorf("%d elements; Slack takes 1 to %d", n, maxElements)
		}
		for _, e := range b.ContextElements.Elements {
			switch e := e.(type) {
			case *slack.TextBlockObject:
				if err := checkText("element", e, MaxSection); err != nil {
					return err
				}
			case slack.TextBlockObject:
				if err := checkText("element", &e, MaxSection); err != nil {
					return err
				}
			}
		}
	case *slack.ActionBlock:
		if b.Elements == nil || len(b.Elements.ElementSet) == 0 || len(b.Elements.ElementSet) > maxActions {
			return fmt.Errorf("it needs 1 to %d elements", maxActions)
		}
		for _, e := range b.Elements.ElementSet {
			if button, ok := e.(*slack.ButtonBlockElement); ok {
				if err := checkButton(button); err != nil {
					return err
				}
			}
		}
	case *slack.ImageBlock:
		return checkLengths("alt_text", b.AltText, maxAlt, "image_url", b.ImageURL, maxURL)
	}
	return nil
}

func checkSection(b *slack.SectionBlock) error {
	if b.Text == nil && len(b.Fields) == 0 {
		return fmt.Errorf("it has neither text nor fields")
	}
	if b.Text != nil {
		if err := checkText("text", b.Text, MaxSection); err != nil {
			return err
		}
	}
	if n := len(b.Fields); n > maxFields {
		return fmt.Errorf("%d fields; Slack takes %d", n, maxFields)
	}
	for _, f := range b.Fields {
		if err := checkText("field", f, maxField); err != nil {
			return err
		}
	}
	if b.Accessory != nil && b.Accessory.ButtonElement != nil {
		return checkButton(b.Accessory.ButtonElement)
	}
	return nil
}

func checkButton(b *slack.ButtonBlockElement) error {
	if err := checkText("button", b.Text, maxButton); err != nil {
		return err
	}
	return checkLengths("url", b.URL, maxURL, "value", b.Value, maxField)
}

func checkText(what string, t *slack.TextBlockObject, limit int) error {
	if t == nil || strings.TrimSpace(t.Text) == "" {
		return fmt.Errorf("its %s is empty", what)
	}
	if t.Type != slack.PlainTextType && t.Type != slack.MarkdownType {
		return fmt.Errorf("its %s is of type %q; it must be plain_text or mrkdwn", what, t.Type)
	}
	return checkLengths(what, t.Text, limit, "", "", 0)
}

func checkLengths(what, text string, limit int, also, other string, otherLimit int) error {
	if n := utf8.RuneCountInString(text); n > limit {
		return fmt.Errorf("its %s has %d characters; Slack takes %d", what, n, limit)
	}
	if n := utf8.RuneCountInString(other); n > otherLimit {
		return fmt.Errorf("its %s has %d characters; Slack takes %d", also, n, otherLimit)
	}
	return nil
}
