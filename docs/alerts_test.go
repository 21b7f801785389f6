//go:build docs

package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheNotificationOfTheGuideIsSent types the guide's notification asset into a copy of the tree, and reads the mail that it leaves.
func TestTheNotificationOfTheGuideIsSent(t *testing.T) {
	tree := copyTree(t)
	write(t, filepath.Join(tree, "pipelines/orders/orders.go"), block(t, "docs/alerts.md", "notification"))
	listOrders(t, tree)
	if out, err := command(tree, "go", "build", "-trimpath", "-o", "bin/waggle", "./cmd/waggle"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := command(tree, "./bin/waggle", "run", "orders"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mails, err := filepath.Glob(filepath.Join(tree, ".waggle/outbox/*.eml"))
	if err != nil || len(mails) != 1 {
		t.Fatalf("the outbox has %q, %v", mails, err)
	}
	mail, err := os.ReadFile(mails[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Subject: 1,234 orders\r\n", "buyers@example.com", "1,234 orders from orders.csv", "waggle runs show "} {
		if !strings.Contains(string(mail), want) {
			t.Errorf("the mail lacks %q:\n%s", want, mail)
		}
	}
	out, err := command(tree, "go", "vet", "./pipelines/orders")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
