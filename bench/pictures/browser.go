package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// rules returns what a page breaks: texts wider than their place, and texts without contrast.
//
//go:embed rules.js
var rules string

// look is how a page is shown.
type look struct {
	width int
	dark  bool
}

func looks() []look { return []look{{600, false}, {600, true}, {320, false}, {320, true}} }

func (l look) name() string {
	if l.dark {
		return fmt.Sprintf("dark_%d", l.width)
	}
	return fmt.Sprintf("light_%d", l.width)
}

func (l look) scheme() string {
	if l.dark {
		return "dark"
	}
	return "light"
}

// browser is one page of a Chromium.
type browser struct{ ctx context.Context }

// open starts Chromium. It ends with close, or with ctx.
func open(ctx context.Context, program string) (b *browser, close func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("disable-lcd-text", true), chromedp.Flag("hide-scrollbars", true))
	if program != "" {
		options = append(options, chromedp.ExecPath(program))
	}
	ctx, stopProcess := chromedp.NewExecAllocator(ctx, options...)
	ctx, stopPage := chromedp.NewContext(ctx)
	close = func() { stopPage(); stopProcess() }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		close()
		return nil, nil, err
	}
	return &browser{ctx}, close, nil
}

// draw shows a page, and returns what it breaks and its picture.
func (b *browser) draw(html string, l look, picture bool) (found []string, png []byte, err error) {
	err = chromedp.Do(b.ctx, chromedp.EmulateViewport(int64(l.width), 100), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		scheme := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme()}}}
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, scheme); err != nil {
			return err
		}
		tree, err := cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, page.SetDocumentContent, page.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: html})
		return err
	}))
	if err != nil {
		return nil, nil, err
	}
	if found, err = chromedp.Run(b.ctx, chromedp.Evaluate[[]string](rules)); err != nil || !picture {
		return found, nil, err
	}
	png, err = chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	return found, png, err
}

// canFail makes sure that the rules find what they are for.
func (b *browser) canFail() error {
	const wide = `<body style="margin:0;background:#fff;color:#000"><div style="width:100px">` + `<span style="white-space:nowrap">much too long for the place that it has been given</span></div>`
	for what, html := range map[string]string{
		"a text that is too wide":   wide,
		"a page that is too wide":   `<body style="margin:0;background:#fff;color:#000"><div style="width:2000px">wide</div>`,
		"grey on grey":              `<body style="margin:0;background:#ddd;color:#999">pale`,
		"a link of the wrong theme": `<body style="margin:0;background:#17150F;color:#fff"><a style="color:#8A4B00">dark</a>`,
	} {
		found, _, err := b.draw(html, look{320, false}, false)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errors.New("the rules do not find " + what)
		}
	}
	found, _, err := b.draw(`<body style="margin:0;background:#fff;color:#767676">just enough`, look{320, false}, false)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("the rules find what is right: %v", found)
	}
	return nil
}
