package cli

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"waggle/shared/asset"
	"waggle/shared/run"
	"waggle/shared/store"
)

// What the shell offers when a person presses tab. It never makes a home where there is none.

func (s *session) completeJobs(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, j := range s.app.Definitions.Jobs {
		if j != nil {
			names = append(names, cobra.CompletionWithDesc(j.Name, j.Options.Description))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (s *session) completeAssets(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var keys []string
	for _, a := range s.app.Definitions.Assets {
		if def := asset.DefinitionOf(a); def != nil {
			keys = append(keys, cobra.CompletionWithDesc(string(def.Key), def.Options.Description))
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}

func (s *session) checkSteps() []string {
	var keys []string
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def != nil && def.Asset != nil {
			keys = append(keys, string(def.Step()))
		}
	}
	return keys
}

func (s *session) completeChecks(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.checkSteps(), cobra.ShellCompDirectiveNoFileComp
}

// completeSteps completes the key of a step.
func (s *session) completeSteps(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	keys := s.checkSteps()
	for _, def := range s.assets() {
		keys = append(keys, string(def.Key))
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}

// completeSelection completes the last name of an expression: a key, or a group, kind, tag or owner that there is.
func (s *session) completeSelection(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexAny(typed, ", (+")+1]
	var names []string
	add := func(name string) {
		if !slices.Contains(names, before+name) {
			names = append(names, before+name)
		}
	}
	defs := s.assets()
	for _, def := range defs {
		add(string(def.Key))
	}
	for _, key := range s.checkSteps() {
		add(key)
	}
	for _, def := range defs {
		add("group:" + def.Options.Group)
		for _, kind := range def.Options.Kinds {
			add("kind:" + kind)
		}
		for _, owner := range def.Options.Owners {
			add("owner:" + owner)
		}
		for name := range def.Options.Tags {
			add("tag:" + name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (s *session) completeConfig(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if len(args) == 0 {
		return nil, directive
	}
	p, err := s.app.Definitions.Plan(run.Request{Job: args[0]})
	if err != nil {
		return nil, directive
	}
	var names []string
	for _, f := range p.ConfigFields() {
		names = append(names, cobra.CompletionWithDesc(f.Name+"=", f.Help))
	}
	return names, directive
}

func (s *session) completeRuns(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if _, err := os.Stat(s.homeDir()); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	st, err := s.store(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := []string{cobra.CompletionWithDesc("LAST", "the newest run")}
	page, _, err := st.Runs(ctx, store.Filter{}, 50, "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, r := range page {
		names = append(names, cobra.CompletionWithDesc(r.ID.Short(), string(r.Status)+" "+r.Request.Name()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
