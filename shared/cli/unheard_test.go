package cli_test

import (
	"os"
	"strings"
	"testing"
)

func TestARunGoesOnWhenNobodyReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, format := range []string{"table", "json", "jsonl"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = read.Close()
		cmd := program(t, dir, nil, "run", "shop", "-o", format)
		cmd.Stdout, cmd.Stderr = write, write
		status := statusOf(t, cmd.Run())
		_ = write.Close()
		out, _, _ := pipe(t, program(t, dir, nil, "runs", "--limit", "1"))
		if status != 0 || !strings.Contains(out, "SUCCESS") {
			t.Errorf("-o %s: exit %d\n%s", format, status, out)
		}
	}
}
