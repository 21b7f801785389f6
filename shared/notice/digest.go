package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// DigestSize is how many deliveries one digest names at most. Names and errors of many jobs make it fewer.
const DigestSize = 400

// digestBytes is how many bytes of blocks the list of a digest may take, by the estimate of Digests.
const digestBytes = slackBytes - 1_700

// Digest is many reports in one message, for a channel that takes fewer messages than there are reports. The full size
// names every run, by the first characters of its id: 13, more where runs of one batch share them. JSON has whole ids.
type Digest struct {
	// Items are at most DigestSize; see Digests.
	Items []Item
	// Number and Of count the messages of one batch from 1; zero: there is one.
	Number, Of int
	// Total is how many deliveries the whole batch has; zero: len(Items).
	Total int
	// Digits is how many characters of an id tell the runs of the batch apart; zero: those of Items.
	Digits int
	// Late says why they come together: "the channel takes 1 message a second". Empty: it is not said.
	Late  string
	Place Place
}

// Item is one delivery of a digest.
type Item struct {
	Run    run.ID
	Name   string // the job, or what was selected
	Status run.Status
	Error  string
	Time   time.Time // when the run ended
}

// Digests splits a batch into messages that each name all of their deliveries within what Slack takes. Items of one job
// stay together as far as they can. None for no items.
func Digests(items []Item, late string, place Place) []Digest {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Status, b.Status)) })
	digits := digitsOf(items)
	var all []Digest
	size := 0
	for i, item := range items {
		job := i == 0 || items[i-1].Name != item.Name || items[i-1].Status != item.Status
		add := digits + 3 // a line break in JSON, and what 70 ids have around them
		if head := groupBytes(item); job || size+add > digestBytes {
			add += head
		}
		if last := len(all) - 1; last < 0 || len(all[last].Items) == DigestSize || size+add > digestBytes {
			all = append(all, Digest{Number: len(all) + 1, Total: len(items), Digits: digits, Late: late, Place: place})
			size = groupBytes(item)
		}
		last := &all[len(all)-1]
		last.Items, size = append(last.Items, item), size+add
	}
	for i := range all {
		all[i].Of = len(all)
	}
	return all
}

// groupBytes is about what the name and error of a job take in blocks.
func groupBytes(i Item) int {
	data, err := encode(slackEscape(oneLineCut(i.Name, 200)) + slackCode(oneLineCut(i.Error, 100)))
	if err != nil { // of a string: cannot be
		return digestBytes
	}
	return len(data) + 70
}

// digitsOf is how many characters of an id tell runs apart.
func digitsOf(items []Item) int {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = string(item.Run)
	}
	slices.Sort(ids)
	digits := len(run.ID(strings.Repeat("0", 36)).Short())
	for i := 1; i < len(ids); i++ {
		a, b := ids[i-1], ids[i]
		same := 0
		for same < len(a) && same < len(b) && a[same] == b[same] {
			same++
		}
		if a != b {
			digits = max(digits, same+1)
		}
	}
	return digits
}

// Content renders the report; it never fails. The smaller sizes count and do not name.
func (d Digest) Content(r notify.Rung) (notify.Content, error) { return contentOf(d, r) }

func (d Digest) total() int { return max(d.Total, len(d.Items)) }

func (d Digest) failed() int {
	n := 0
	for _, i := range d.Items {
		if i.Status == run.Failure {
			n++
		}
	}
	return n
}

// what is "10,000 failures", or "37 reports" where not all of them are.
func (d Digest) what() string {
	if d.failed() == len(d.Items) {
		return report.Count(d.total(), "failure")
	}
	return report.Count(d.total(), "report")
}

func (d Digest) subject() string {
	s := "[Waggle] " + d.what()
	if d.Of > 1 {
		s += fmt.Sprintf(" (%d of %d)", d.Number, d.Of)
	}
	return s
}

func (d Digest) state() report.State {
	if d.failed() > 0 {
		return report.OfRun(run.Failure)
	}
	if len(d.Items) > 0 {
		return report.OfRun(d.Items[0].Status)
	}
	return report.OfRun(run.Success)
}

func (d Digest) line() string {
	groups := d.groups()
	name := report.Count(len(groups), "job")
	if len(groups) == 1 {
		name = groups[0].name
	}
	text := d.what()
	if d.Of > 1 {
		text = fmt.Sprintf("%s here, %s in all (%d of %d)", report.Number(int64(len(d.Items))), d.what(), d.Number, d.Of)
	}
	return fitLine(d.state().Text()+" "+d.Place.of(name), "", text)
}

type digestGroup struct {
	name   string
	status run.Status
	items  []Item
}

// groups are the items by job and status, failures and the largest first.
func (d Digest) groups() []digestGroup {
	type key struct {
		name   string
		status run.Status
	}
	var all []digestGroup
	at := map[key]int{}
	for _, item := range d.Items {
		k := key{item.Name, item.Status}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, digestGroup{name: item.Name, status: item.Status})
		}
		all[i].items = append(all[i].items, item)
	}
	slices.SortStableFunc(all, func(a, b digestGroup) int {
		af, bf := a.status == run.Failure, b.status == run.Failure
		if af != bf {
			if af {
				return -1
			}
			return 1
		}
		return cmp.Compare(len(b.items), len(a.items))
	})
	return all
}

func (d Digest) page(r notify.Rung) page {
	groups := d.groups()
	p := page{state: d.state(), name: d.Place.of(d.what())}
	p.lead = []words{say(report.Count(len(d.Items), "run") + " of " + report.Count(len(groups), "job") + " in this message.")}
	if d.Of > 1 {
		p.lead = append(p.lead, say(fmt.Sprintf("Message %d of %d; together they name %s.", d.Number, d.Of, d.what())))
	}
	if d.Late != "" {
		p.lead = append(p.lead, say(oneLineCut(d.Late, 200)))
	}
	p.where = where{title: "What to do", commands: []command{{"List them", d.Place.command("runs", "--status", "failed")}}}
	if len(d.Items) > 0 {
		p.where.commands = append(p.where.commands, command{"See one", d.Place.command("runs", "show", d.Items[0].Run.Short())})
	}
	if r != notify.Full {
		p.add(list("Jobs", groups, maxNamed, "job", func(g digestGroup) row { return g.row() }))
		return p
	}
	p.whole = true
	digits := d.Digits
	if digits == 0 {
		digits = digitsOf(d.Items)
	}
	named, all := 0, part{title: "Runs"}
	for _, g := range groups {
		if named >= DigestSize {
			break
		}
		items := g.items[:min(len(g.items), DigestSize-named)]
		named += len(items)
		line := g.row()
		if why := items[0].Error; why != "" {
			line.notes = []words{say(code(oneLineCut(why, 100)))}
		}
		for chunk := range slices.Chunk(items, 70) { // 2,590 characters at most: within a section of Slack
			line.typed = true
			for few := range slices.Chunk(chunk, max(1, 33/(digits+2))) { // what is as wide as a phone
				ids := make([]string, len(few))
				for i, item := range few {
					ids[i] = head(oneLine(string(item.Run)), digits)
				}
				line.code = append(line.code, strings.Join(ids, "  "))
			}
			all.rows = append(all.rows, line)
			line = row{}
		}
	}
	all.after = more(len(d.Items)-named, "run")
	p.add(all)
	return p
}

// row is a job with how many of its runs, and over which time.
func (g digestGroup) row() row {
	state := report.OfRun(g.status)
	return row{state: &state, head: say(code(g.name)), right: report.Count(len(g.items), "run")}
}
