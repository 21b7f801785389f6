package asset

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
)

// maxLine is where LogWriter breaks a line that does not end.
const maxLine = 16 << 10

// LogWriter returns a writer that logs each line written to it, for the output of a child process:
//
//	out := ctx.LogWriter(slog.LevelInfo)
//	defer out.Close() // logs what has no line end
//	cmd.Stdout = out
//
// Lines are cut at 16 KiB. What is printed with fmt.Print is not captured.
func (c *Context) LogWriter(level slog.Level) io.WriteCloser {
	return &lineWriter{log: func(line string) { c.Log.Log(c, level, line) }}
}

type lineWriter struct {
	mu   sync.Mutex
	rest []byte
	log  func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) >= maxLine || i > maxLine {
			i = maxLine
			w.log(string(w.rest[:i]))
			w.rest = w.rest[i:]
			continue
		}
		if i < 0 {
			return len(p), nil
		}
		w.log(string(bytes.TrimSuffix(w.rest[:i], []byte("\r"))))
		w.rest = w.rest[i+1:]
	}
}

func (w *lineWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.log(string(w.rest))
		w.rest = nil
	}
	return nil
}
