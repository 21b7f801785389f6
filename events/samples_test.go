package events_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"waggle/shared/event"
)

// TestASampleOnceWrittenStaysAsItIs holds the samples against SHA256SUMS, so that what was an event once stays one.
func TestASampleOnceWrittenStaysAsItIs(t *testing.T) {
	t.Parallel()
	sums := map[string]string{}
	for line := range strings.Lines(string(read(t, "SHA256SUMS"))) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("SHA256SUMS: %q is no line of sha256sum", line)
		}
		sums[name] = sum
	}
	for _, c := range setup(t) {
		for name, data := range c.samples {
			sum := sha256.Sum256(data)
			got := hex.EncodeToString(sum[:])
			switch sums[name] {
			case got:
			case "":
				t.Errorf("SHA256SUMS lacks the new sample; add the line\n%s  %s", got, name)
			default:
				t.Errorf("%s has changed. Somebody's rule or program was written for it as it was: take the change back, and add a new sample beside it", name)
			}
			delete(sums, name)
		}
	}
	for name := range sums {
		t.Errorf("%s is gone. Samples are kept for ever, also those of versions that are no longer published: bring it back", name)
	}
}

// TestSamplesAreReadByTodaysType decodes each sample and writes it again: what is lost on the way was renamed or removed.
func TestSamplesAreReadByTodaysType(t *testing.T) {
	t.Parallel()
	for _, c := range setup(t) {
		for name, data := range c.samples {
			var e envelope
			if err := strict(data, &e); err != nil {
				t.Errorf("%s is no event of EventBridge: %v", name, err)
				continue
			}
			if e.Source != "waggle" || e.DetailType != string(c.title()) || e.Version != "0" || e.Account == "" || e.ID == "" || e.Region == "" || e.Resources == nil {
				t.Errorf("%s: the envelope %+v does not fit", name, e)
			}
			var got event.Event
			var err error
			if c.today {
				err = strict(e.Detail, &got)
			} else {
				err = json.Unmarshal(e.Detail, &got) // of a version that is no longer published, fields may be unknown
			}
			if err != nil {
				t.Errorf("%s is not read by event.Event any more: %v. A field of an event is not renamed or removed and keeps its type; "+
					"what must change gets a new field beside it, or a new type of event", name, err)
				continue
			}
			if got.ID == "" || got.Type != c.title() || !got.Time.Truncate(1e9).Equal(e.Time) {
				t.Errorf("%s: read as %+v", name, got)
			}
			again, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if c.today && !same(t, e.Detail, again) {
				t.Errorf("%s: event.Event writes\n%s\nfor\n%s\nThe JSON of an event is a contract: a field keeps its name, its type and when it is left out", name, again, e.Detail)
			}
		}
	}
}

func TestSamplesFitTheirSchema(t *testing.T) {
	t.Parallel()
	for _, c := range setup(t) {
		for name, data := range c.samples {
			var e envelope
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			if err := c.validate(e.Detail); err != nil {
				t.Errorf("%s does not fit %s/schema.json: %v", name, c.dir, err)
			}
		}
	}
}

// TestASchemaRefusesWhatIsNoEvent takes from each sample, one by one, the fields that an event must have, and spoils the others.
func TestASchemaRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	for _, c := range setup(t) {
		for name, data := range c.samples {
			var e envelope
			var fields map[string]json.RawMessage
			if json.Unmarshal(data, &e) != nil || json.Unmarshal(e.Detail, &fields) != nil {
				t.Fatal(name)
			}
			refused := func(what string) {
				t.Helper()
				detail, err := json.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				if c.validate(detail) == nil {
					t.Errorf("%s: the schema takes it %s", name, what)
				}
			}
			for field, value := range fields {
				fields[field] = json.RawMessage(`{"no": "such value"}`)
				refused("with an object as " + field)
				delete(fields, field)
				for _, required := range c.schema.Required {
					if required == field {
						refused("without " + field)
					}
				}
				fields[field] = value
			}
		}
	}
}

// TestSamplesShowEveryFieldAndEveryWord finds each property of a schema, and each word of its enumerations, in one of its samples:
// what no sample shows, no test would miss.
func TestSamplesShowEveryFieldAndEveryWord(t *testing.T) {
	t.Parallel()
	for _, c := range setup(t) {
		var all strings.Builder
		for _, data := range c.samples {
			all.Write(data)
		}
		for field, p := range properties(t, c.written) {
			if !strings.Contains(all.String(), `"`+field+`": `) {
				t.Errorf("no sample of %s has %s; add one", c.dir, field)
			}
			for _, word := range p.Enum {
				if !regexp.MustCompile(`"` + field + `": "` + word + `"`).MatchString(all.String()) {
					t.Errorf("no sample of %s has %s %s; add one", c.dir, field, word)
				}
			}
		}
	}
}

func TestTheReadmeListsEveryContract(t *testing.T) {
	t.Parallel()
	readme := string(read(t, "README.md"))
	for _, c := range setup(t) {
		row := ""
		for line := range strings.Lines(readme) {
			if strings.HasPrefix(line, "| `"+string(c.title())+"` |") {
				row = line
			}
		}
		for _, name := range []string{"schema.json", "rule.json", "samples"} {
			if !strings.Contains(row, "]("+c.dir+"/"+name+")") {
				t.Errorf("README.md has no row for %q with a link to %s/%s", c.title(), c.dir, name)
			}
		}
		for field := range properties(t, c.written) {
			if c.today && field != "id" && field != "type" && field != "time" && !strings.Contains(row, "`"+field+"`") {
				t.Errorf("README.md does not say that %q has %s", c.title(), field)
			}
		}
	}
}
