package run_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"waggle/shared/run"
)

var update = flag.Bool("update", false, "draw the chart in docs/design.md anew")

// TestTheChartInTheDocsIsTheStateMachine compares the chart of docs/design.md with the table in status.go.
func TestTheChartInTheDocsIsTheStateMachine(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/design.md", "<!-- chart:begin -->\n", "<!-- chart:end -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	drawn, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the chart", path)
	}
	want := chart()
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if drawn != want {
		t.Errorf("the chart in %s is out of date; run go test ./shared/run -update", path)
	}
}

// chart is the state machine as a Mermaid diagram.
func chart() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> NOT_STARTED\n")
	for _, s := range run.Statuses() {
		for _, next := range s.Next() {
			fmt.Fprintf(&b, "    %s --> %s\n", s, next)
		}
		if s.Terminal() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n")
	return b.String()
}
