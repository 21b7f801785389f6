package notify

// For is the content in the forms that channels of a kind send, so that what waits for one channel is no longer than it must be. Text is in
// all of them: from it a channel makes what it lacks. A kind that is none of those above gets everything.
func (c Content) For(kind Kind) Content {
	switch kind {
	case KindMail:
		c.Markdown, c.Blocks, c.JSON = "", nil, nil
	case KindSlack:
		c.HTML, c.Markdown, c.JSON = "", "", nil
	case KindWebhook:
		c.HTML, c.Blocks = "", nil
	}
	return c
}
