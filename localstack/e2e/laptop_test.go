//go:build aws

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/embedded"
	"waggle/shared/run"
	"waggle/shared/store"
)

// laptop is a home on this machine. Mails go to its outbox.
func laptop(t *testing.T, program string) *place {
	p := &place{t: t, program: program, folder: t.TempDir(), slack: newSlack(t)}
	p.env = []string{"SLACK_WEBHOOK_URL=" + p.slack.URL}
	home := filepath.Join(p.folder, ".waggle")
	p.where = []string{"--home", home}
	p.mails = func() []letter {
		files, err := filepath.Glob(filepath.Join(home, "outbox", "*.eml"))
		if err != nil {
			p.t.Fatal(err)
		}
		var letters []letter
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				p.t.Fatal(err)
			}
			letters = append(letters, open(p.t, data))
		}
		return letters
	}
	p.read = func(path string) []byte {
		p.t.Helper()
		if path = strings.TrimPrefix(path, "file://"); !filepath.IsAbs(path) {
			path = filepath.Join(p.folder, path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			p.t.Fatal(err)
		}
		return data
	}
	p.write = func(name string, data []byte) {
		p.t.Helper()
		path := filepath.Join(p.folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	p.url = func(name string) string { return "file://" + filepath.Join(p.folder, name) }
	p.store = func() *store.Store {
		p.t.Helper()
		s, err := embedded.Open(p.t.Context(), home, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { _ = s.Close() })
		return s
	}
	p.died = func(run.ID) {} // nobody says so; the lease ends in 5 s
	p.look = func() {
		p.t.Helper()
		if out, talk, status := p.call("monitor", "--once"); status > 0 { // below: a step ended its process
			p.t.Fatalf("the monitor ended with %d\n%s%s", status, out, talk)
		}
	}
	p.fire = func(_ string, prepare func()) {
		p.t.Helper()
		prepare()
		p.start("dev") // ends with the test
	}
	return p
}
