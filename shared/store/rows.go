package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// materializationRow is the Data of a materialization. What the key says is not repeated.
type materializationRow struct {
	DurationMS float64         `json:"duration_ms"`
	Verdict    run.Verdict     `json:"verdict"`
	Metadata   metadata.Values `json:"metadata,omitempty"`
	Packed     int             `json:"packed,omitempty"` // bytes at the end of the Body, which are the metadata
	Value      *run.Value      `json:"value,omitempty"`  // a small one's bytes are the Body
}

// checkRow is the Data of a check result.
type checkRow struct {
	Status      run.CheckStatus `json:"status"`
	Passed      bool            `json:"passed"`
	Blocking    bool            `json:"blocking,omitempty"`
	Severity    run.Severity    `json:"severity"`
	Description string          `json:"description,omitempty"`
	Metadata    metadata.Values `json:"metadata,omitempty"`
	Packed      int             `json:"packed,omitempty"` // bytes of the Body, which are the metadata
	Error       string          `json:"error,omitempty"`
}

// maxMetadata is up to how many bytes metadata stand readable in their row where writes are paid by size.
const maxMetadata = 512

// maxPacked is up to how many bytes a packed metadata value costs less in the log and in a row than as an object: two writes of four units
// are one put.
const maxPacked = 4 << 10

// CheaperInBlob reports whether a metadata value should be a blob: where writes are paid by size, one that does not pack well, as a picture.
func (s *Store) CheaperInBlob(value []byte) bool {
	return s.paid && len(value) > maxPacked && len(s.codec.PackText(value)) > maxPacked
}

// pack takes long metadata out of a row's Data, to be appended to its Body, where writes are paid by size.
func (s *Store) pack(values *metadata.Values) ([]byte, error) {
	if !s.paid || len(*values) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(*values)
	if err != nil || len(text) <= maxMetadata {
		return nil, err
	}
	*values = nil
	return s.codec.PackText(text), nil
}

// unpack reads metadata from the end of a row's Body, and returns what stands before it.
func (s *Store) unpack(values *metadata.Values, packed int, body []byte) ([]byte, error) {
	if packed == 0 {
		return body, nil
	}
	if packed < 0 || packed > len(body) {
		return nil, fault.New(fault.Corrupt, "its metadata have %d bytes of %d", packed, len(body))
	}
	rest, packing := body[:len(body)-packed], body[len(body)-packed:]
	text, err := s.codec.UnpackText(packing)
	if err == nil {
		err = json.Unmarshal(text, values)
	}
	if len(rest) == 0 {
		rest = nil
	}
	return rest, err
}

// PutRows writes materializations and check results. Each row is keyed by its event: writing it twice is harmless.
func (s *Store) PutRows(ctx context.Context, rows runlog.Rows) error {
	items := make([]driver.Item, 0, len(rows.Materializations)+len(rows.Checks))
	for _, m := range rows.Materializations {
		row := materializationRow{DurationMS: runlog.Milliseconds(m.Duration), Verdict: m.Verdict, Metadata: m.Metadata}
		var body []byte
		if m.Value != nil {
			value := *m.Value
			body, value.Inline = value.Inline, nil
			row.Value = &value
		}
		packed, err := s.pack(&row.Metadata)
		if row.Packed = len(packed); err == nil && row.Packed > 0 {
			body = append(body[:len(body):len(body)], packed...)
		}
		data, encodeErr := json.Marshal(row)
		if err = errors.Join(err, encodeErr); err != nil {
			return fault.Wrap(fault.Internal, "encode a materialization", err)
		}
		items = append(items, driver.Item{Key: driver.Key{
			Partition: assetPartition(m.Asset, m.Partition), Sort: eventSort("MAT#", m.Time, m.Run, m.Seq)}, Data: data, Body: body})
	}
	for _, c := range rows.Checks {
		row := checkRow{Status: c.Status, Passed: c.Passed, Blocking: c.Blocking, Severity: c.Severity, Description: c.Description, Metadata: c.Metadata, Error: c.Error}
		body, err := s.pack(&row.Metadata)
		row.Packed = len(body)
		data, encodeErr := json.Marshal(row)
		if err = errors.Join(err, encodeErr); err != nil {
			return fault.Wrap(fault.Internal, "encode a check result", err)
		}
		items = append(items, driver.Item{Key: driver.Key{
			Partition: assetPartition(c.Asset, ""), Sort: eventSort("CHECK#"+c.Check+"#", c.Time, c.Run, c.Seq)}, Data: data, Body: body})
	}
	if len(items) == 0 {
		return nil
	}
	return s.db.PutAll(ctx, items)
}

// History returns the newest materializations of an asset, newest first, blocked ones too; at most limit.
func (s *Store) History(ctx context.Context, key run.AssetKey, limit int) ([]run.Materialization, error) {
	var all []run.Materialization
	err := s.newest(ctx, assetPartition(key, ""), "MAT#", limit, func(item driver.Item) (bool, error) {
		m, err := s.materialization(key, item)
		all = append(all, m)
		return len(all) < limit, err
	})
	return all, err
}

// Latest returns the newest materialization of an asset that other runs may use; fault.NotFound where there is none.
func (s *Store) Latest(ctx context.Context, key run.AssetKey) (run.Materialization, error) {
	return s.latest(ctx, key, "")
}

// Before returns the newest materialization that other runs may use and that a run did not make itself.
func (s *Store) Before(ctx context.Context, key run.AssetKey, id run.ID) (run.Materialization, error) {
	return s.latest(ctx, key, id)
}

func (s *Store) latest(ctx context.Context, key run.AssetKey, except run.ID) (run.Materialization, error) {
	var found *run.Materialization
	err := s.newest(ctx, assetPartition(key, ""), "MAT#", 4, func(item driver.Item) (bool, error) {
		m, err := s.materialization(key, item)
		if err != nil {
			return false, err
		}
		if m.Verdict == run.Good && m.Run != except {
			found = &m
		}
		return found == nil, nil
	})
	if err == nil && found == nil {
		return run.Materialization{}, fault.New(fault.NotFound, "asset %q has no materialization that can be used", string(key)).WithHint("materialize it first, or add it to the run")
	}
	if err != nil {
		return run.Materialization{}, err
	}
	return *found, nil
}

// CheckHistory returns the newest results of a check, newest first; at most limit.
func (s *Store) CheckHistory(ctx context.Context, key run.AssetKey, name string, limit int) ([]run.CheckResult, error) {
	var all []run.CheckResult
	err := s.newest(ctx, assetPartition(key, ""), "CHECK#"+name+"#", limit, func(item driver.Item) (bool, error) {
		c, err := s.checkResult(key, name, item)
		all = append(all, c)
		return len(all) < limit, err
	})
	return all, err
}

// over is the condition to write over the version of an item that was read: 0 is none.
func over(version int64) driver.Condition {
	if version == 0 {
		return driver.IfAbsent
	}
	return driver.IfVersion(version)
}

// newest visits the items with a prefix, newest first, page by page, until visit returns false.
func (s *Store) newest(ctx context.Context, partition, prefix string, page int, visit func(driver.Item) (bool, error)) error {
	return s.newestFrom(ctx, partition, prefix, prefix, page, visit)
}

// newestFrom is newest down to a sort key.
func (s *Store) newestFrom(ctx context.Context, partition, prefix, from string, page int, visit func(driver.Item) (bool, error)) error {
	q := driver.Query{Partition: partition, From: from, To: prefix + lastSort, Descending: true, Limit: page}
	for {
		found, err := s.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range found.Items {
			if more, err := visit(item); err != nil || !more {
				return err
			}
		}
		if found.Cursor == "" {
			return nil
		}
		q.Cursor = found.Cursor
	}
}

func (s *Store) materialization(key run.AssetKey, item driver.Item) (run.Materialization, error) {
	var row materializationRow
	at, id, seq, err := parseEventSort(item.Sort)
	if err == nil {
		err = json.Unmarshal(item.Data, &row)
	}
	var value []byte
	if err == nil {
		value, err = s.unpack(&row.Metadata, row.Packed, item.Body)
	}
	if err != nil {
		return run.Materialization{}, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	if row.Value != nil {
		row.Value.Inline = value
	}
	return run.Materialization{Asset: key, Run: id, Seq: seq, Time: at, Duration: time.Duration(row.DurationMS * float64(time.Millisecond)),
		Metadata: row.Metadata, Value: row.Value, Verdict: row.Verdict}, nil
}

func (s *Store) checkResult(key run.AssetKey, name string, item driver.Item) (run.CheckResult, error) {
	var row checkRow
	at, id, seq, err := parseEventSort(item.Sort)
	if err == nil {
		err = json.Unmarshal(item.Data, &row)
	}
	if err == nil {
		_, err = s.unpack(&row.Metadata, row.Packed, item.Body)
	}
	if err != nil {
		return run.CheckResult{}, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	return run.CheckResult{Asset: key, Check: name, Run: id, Seq: seq, Time: at, Status: row.Status, Passed: row.Passed, Blocking: row.Blocking,
		Severity: row.Severity, Description: row.Description, Metadata: row.Metadata, Error: row.Error}, nil
}
