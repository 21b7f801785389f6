package notice

import (
	"net/url"
	"strings"
	"time"

	"waggle/shared/run"
)

// Place is where a report comes from: what is the same for every report of a deployment.
type Place struct {
	// Environment names the deployment: "production". Empty: it is not said.
	Environment string
	// LinkBase is the address of the pages of runs; "https://waggle.example.com/" makes links to /runs/ID. Empty: no links.
	LinkBase string
	// Program is what people type. Defaults to waggle.
	Program string
	// Location is the zone that times are written in. Nil means UTC.
	Location *time.Location
}

// command is a command as a person types it.
func (p Place) command(words ...string) string {
	program := p.Program
	if program == "" {
		program = "waggle"
	}
	for i, word := range words {
		words[i] = oneLineCut(word, 200)
	}
	return program + " " + strings.Join(words, " ")
}

// link is the page of a run; empty where there are no pages.
func (p Place) link(id run.ID) string {
	base := strings.TrimSuffix(p.LinkBase, "/")
	if base == "" || id == "" || !strings.HasPrefix(base, "https://") && !strings.HasPrefix(base, "http://") {
		return ""
	}
	return base + "/runs/" + url.PathEscape(head(string(id), 100))
}

// where is how to see a run.
func (p Place) where(id run.ID, does string) where {
	return where{commands: []command{{does, p.command("runs", "show", id.Short())}}, link: p.link(id), label: "Open the run"}
}

// of adds the environment to a name: "gallery (production)".
func (p Place) of(name string) string {
	name = oneLineCut(name, 100)
	if p.Environment == "" {
		return name
	}
	return name + " (" + oneLineCut(p.Environment, 40) + ")"
}

// at is a moment for people, with its zone: "2026-11-22 02:00 Europe/London". Empty for the zero time.
func (p Place) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(p.zone())
	return t.Format("2006-01-02 15:04 ") + p.zoneName(t)
}

// stamp is a moment beside another one that has named the zone.
func (p Place) stamp(t time.Time) string { return t.In(p.zone()).Format("2006-01-02 15:04") }

func (p Place) zone() *time.Location {
	if p.Location == nil {
		return time.UTC
	}
	return p.Location
}

// zoneName is UTC or the name of a place. Go calls the machine's own zone Local, which says nothing to others: then it is the
// offset at that time.
func (p Place) zoneName(t time.Time) string {
	if name := p.zone().String(); name != "Local" && name != "" {
		return name
	}
	return t.In(p.zone()).Format("-07:00")
}
