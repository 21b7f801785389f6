package main

import (
	"context"
	"os/exec"
	"strings"
)

// codeVersion is the commit of a checkout, with + where files have changed since; "unknown" where git does not know it.
func codeVersion(ctx context.Context, root string) string {
	commit, err := git(ctx, root, "rev-parse", "--short=12", "HEAD")
	if err != nil || commit == "" {
		return "unknown"
	}
	if changed, err := git(ctx, root, "status", "--porcelain"); err != nil || changed != "" {
		commit += "+"
	}
	return commit
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
