package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/table"
)

type calls struct {
	stored []string
	works  int
	refuse string
	err    error
}

func (c *calls) Store(_ context.Context, events ...event.Event) error {
	for _, e := range events {
		if e.ID == c.refuse {
			return errors.New("the table is busy")
		}
		c.stored = append(c.stored, e.ID)
	}
	return nil
}

func (c *calls) Work(context.Context) error { c.works++; return c.err }

// handled returns what Lambda is answered, as JSON.
func handled(t *testing.T, c *calls, payload string) (string, error) {
	t.Helper()
	var r request
	if err := json.Unmarshal([]byte(payload), &r); err != nil {
		t.Fatal(err)
	}
	answer, err := handler{c, slog.New(slog.DiscardHandler)}.handle(t.Context(), r)
	text, jsonErr := json.Marshal(answer)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return string(text), err
}

func TestTheSampleIsAnEventOfTheQueue(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	c := &calls{}
	if answer, err := handled(t, c, string(sample)); err != nil || answer != `{"batchItemFailures":[]}` || len(c.stored) != 1 || c.works != 1 {
		t.Errorf("%s, %v, %+v", answer, err, c)
	}
}

func record(id, body string) string {
	text, _ := json.Marshal(body)
	return `{"messageId":"` + id + `","body":` + string(text) + `}`
}

func envelope(id string) string {
	return `{"version":"0","source":"waggle","detail-type":"Run Status Change","detail":{"id":"` + id + `","type":"Run Status Change","time":"2026-11-22T02:00:00Z","run_id":"r","sequence":1,"status":"FAILURE"}}`
}

func TestOnlyWhatWasNotStoredComesAgain(t *testing.T) {
	t.Parallel()
	c := &calls{refuse: "r#2"}
	answer, err := handled(t, c, `{"Records":[`+record("a", envelope("r#1"))+`,`+record("b", envelope("r#2"))+`,`+record("c", "poison")+`,`+record("d", envelope("r#4"))+`]}`)
	if err != nil || answer != `{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}` || len(c.stored) != 2 || c.works != 1 {
		t.Errorf("%s, %v, %+v", answer, err, c)
	}
}

func TestWorkThatFailsBringsNoEventAgain(t *testing.T) {
	t.Parallel()
	c := &calls{err: errors.New("the table is busy")}
	if answer, err := handled(t, c, `{"Records":[`+record("a", envelope("r#1"))+`]}`); err != nil || answer != `{"batchItemFailures":[]}` {
		t.Errorf("%s, %v", answer, err)
	}
	if _, err := handled(t, c, `{"wake":true}`); err == nil {
		t.Error("a call that only has to work says that it failed")
	}
}

func TestAPolledSensorThatReadsASQLiteFileIsToldWhatItNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "media.db"), append([]byte("SQLite format 3\x00"), make([]byte, 100)...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := table.ReadSQLite[struct{ ID int64 }](t.Context(), table.At(dir), "media.db", "media")
	if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "does not link SQLite") {
		t.Errorf("got %v", err)
	}
}
