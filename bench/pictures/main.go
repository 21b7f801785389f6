// Program pictures draws every report as a mail program shows it, light and dark, 600 and 320 pixels wide, and holds each
// drawing to two rules: no text is wider than its place, and each has a contrast of 4.5:1 at least. It needs Chromium.
//
//	go run ./bench/pictures                      checks
//	go run ./bench/pictures -out docs/pictures   checks, and writes the pictures
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
)

// maxBytes is how large a picture may be.
const maxBytes = 60 << 10

func main() {
	out := flag.String("out", "", "write the pictures into this `FOLDER`, in place of those there; empty: only check")
	browser := flag.String("browser", "", "Chromium's `PROGRAM`; empty: as it is found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *browser, *out); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, program, out string) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	b, closeBrowser, err := open(ctx, program)
	if err != nil {
		return fmt.Errorf("start Chromium: %w; install it, as by apt-get install chromium, or name it with -browser", err)
	}
	defer closeBrowser()
	if err := b.canFail(); err != nil {
		return err
	}
	pictures, err := drawAll(b)
	if err != nil {
		return err
	}
	if out != "" {
		if err := write(out, pictures); err != nil {
			return err
		}
	}
	fmt.Printf("{\"reports\":%d,\"pictures\":%d,\"seconds\":%.1f}\n", len(noticetest.Samples()), len(pictures), time.Since(began).Seconds())
	return nil
}

type picture struct {
	name string
	png  []byte
}

// drawAll draws and checks each report; all mistakes are told at once.
func drawAll(b *browser) ([]picture, error) {
	var pictures []picture
	var mistakes []error
	for _, s := range noticetest.Samples() {
		for _, rung := range []notify.Rung{notify.Full, notify.Brief} {
			c, err := s.Report.Content(rung)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Name, err)
			}
			for _, look := range looks() {
				found, png, err := b.draw(c.HTML, look, rung == notify.Full)
				if err != nil {
					return nil, fmt.Errorf("%s %s: %w", s.Name, look.name(), err)
				}
				for _, f := range found {
					mistakes = append(mistakes, fmt.Errorf("%s %s: %s", s.Name, look.name(), f))
				}
				if rung != notify.Full {
					continue
				}
				small, err := quantise(png)
				if err != nil {
					return nil, err
				}
				if len(small) > maxBytes {
					mistakes = append(mistakes, fmt.Errorf("%s %s: the picture has %d bytes", s.Name, look.name(), len(small)))
				}
				pictures = append(pictures, picture{s.Name + "_" + look.name() + ".png", small})
			}
		}
	}
	return pictures, errors.Join(mistakes...)
}

// write replaces the pictures of a folder.
func write(folder string, pictures []picture) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range pictures {
		known[p.name] = true
		if err := os.WriteFile(filepath.Join(folder, p.name), p.png, 0o644); err != nil {
			return err
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range there {
		ours := strings.HasSuffix(e.Name(), "_light_600.png") || strings.HasSuffix(e.Name(), "_dark_600.png") ||
			strings.HasSuffix(e.Name(), "_light_320.png") || strings.HasSuffix(e.Name(), "_dark_320.png")
		if ours && !known[e.Name()] { // of a report that is gone
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
