package store

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gocloud.dev/blob"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// MinBlobAge is how old a blob should be before GC may delete it: an attempt writes its blobs before the event that
// names them.
const MinBlobAge = 24 * time.Hour

// Fate is what GC decides about a blob.
type Fate string

// The fates of blobs. The last three are deleted.
const (
	Young      Fate = "young"       // kept: too new to judge
	Unsettled  Fate = "unsettled"   // kept: its run goes on, or may
	Logged     Fate = "logged"      // kept: a text or metadata, and the log of its run is there
	Named      Fate = "named"       // kept: a materialization or a check result names it
	Foreign    Fate = "foreign"     // kept: its name is none that a run gives
	RunGone    Fate = "run_gone"    // deleted: its run does not exist
	Unnamed    Fate = "unnamed"     // deleted: a value that no materialization names, as of an attempt that was tried again
	LogExpired Fate = "log_expired" // deleted: a text or metadata that only an expired log named
)

// Deleted reports whether GC deletes a blob of this fate.
func (f Fate) Deleted() bool { return f == RunGone || f == Unnamed || f == LogExpired }

// Tally is how many blobs, and their bytes.
type Tally struct {
	Count int64 `json:"count"`
	Bytes int64 `json:"bytes"`
}

// Report is what GC found. After a dry run, what is deleted in it is still there.
type Report struct {
	Blobs map[Fate]Tally `json:"blobs"`
	// Logs are the runs whose log was there past its time: their process died before it could say when it ends, or
	// wrote it before there was a retention.
	Logs   int  `json:"logs"`
	DryRun bool `json:"dry_run"`
}

// Deleted is what was deleted of the blobs.
func (r Report) Deleted() Tally { return r.sum(true) }

// Kept is what was not.
func (r Report) Kept() Tally { return r.sum(false) }

func (r Report) sum(deleted bool) (t Tally) {
	for fate, n := range r.Blobs {
		if fate.Deleted() == deleted {
			t.Count, t.Bytes = t.Count+n.Count, t.Bytes+n.Bytes
		}
	}
	return t
}

// GC deletes the blobs that nothing names and that are older than olderThan (MinBlobAge where there is no reason for another),
// and the logs that should have expired. With dryRun it only counts them. What a run that is not settled wrote is never touched, so
// it may go on beside runs, and beside another GC. It takes a few reads a blob and little memory. After an error the report says what was done until then.
func (s *Store) GC(ctx context.Context, olderThan time.Duration, dryRun bool) (Report, error) {
	c := collector{store: s, before: s.now().Add(-olderThan), report: Report{Blobs: map[Fate]Tally{}, DryRun: dryRun}}
	if olderThan < 0 {
		return c.report, fault.New(fault.Invalid, "gc of blobs older than %s", olderThan).WithHint("give an age of 0 or more; 24h is usual")
	}
	if err := c.logs(ctx); err != nil {
		return c.report, err
	}
	return c.report, c.blobs(ctx)
}

// collector is one GC.
type collector struct {
	store  *Store
	before time.Time // younger blobs are kept
	report Report
	last   blobRun // of the blob before: blobs come sorted by name, so those of a run are often together
}

// logs deletes the logs and notes that outlived their run by more than the retention and do not know it.
func (c *collector) logs(ctx context.Context) error {
	s := c.store
	if s.retention < 0 {
		return nil
	}
	before := s.now().Add(-s.retention)
	q := driver.Query{Index: indexAll, Partition: allRuns, To: string(run.FirstID(before))}
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			meta, err := owner.Decode[Summary](item)
			if err != nil {
				return err
			}
			if settled(meta) && meta.State.Ended.Before(before) {
				if err := c.log(ctx, meta.State.ID); err != nil {
					return err
				}
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}

// log deletes what a run has besides its META and what does not expire by itself.
func (c *collector) log(ctx context.Context, id run.ID) error {
	found := false
	err := c.store.besidesMeta(ctx, id, func(items []driver.Item) error {
		for _, item := range items {
			if !item.Expires.IsZero() {
				continue
			}
			found = true
			if c.report.DryRun {
				return errFound
			}
			if err := c.store.db.Delete(ctx, item.Key, driver.Any); err != nil {
				return err
			}
		}
		return nil
	})
	if found {
		c.report.Logs++
	}
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

// errFound ends a search.
var errFound = errors.New("found")

// blobsAPage is how many names are held at once, some megabytes. Folders of files are walked from the start for each page.
const blobsAPage = 20_000

// blobs judges every blob.
func (c *collector) blobs(ctx context.Context) error {
	for token := blob.FirstPageToken; len(token) > 0; {
		objects, next, err := c.store.blobs.bucket.ListPage(ctx, token, blobsAPage, nil)
		if err != nil {
			return blobFault("list the blobs", err)
		}
		for _, object := range objects {
			if err := c.blob(ctx, object); err != nil {
				return err
			}
		}
		token = next
	}
	return nil
}

// blob judges a blob, deletes it where that is its fate, and counts it.
func (c *collector) blob(ctx context.Context, object *blob.ListObject) error {
	fate, err := c.judge(ctx, object)
	if err != nil {
		return err
	}
	if fate.Deleted() && !c.report.DryRun {
		err := blobFault("delete blob "+object.Key, c.store.blobs.bucket.Delete(ctx, object.Key))
		if err != nil && !errors.Is(err, fault.NotFound) { // another GC was faster
			return err
		}
	}
	t := c.report.Blobs[fate]
	c.report.Blobs[fate] = Tally{t.Count + 1, t.Bytes + object.Size}
	return nil
}

// judge decides about a blob. The order matters: the blob was there before its run is read, and a run that is settled then has
// written all its rows before, and writes no more.
func (c *collector) judge(ctx context.Context, object *blob.ListObject) (Fate, error) {
	b, ok := parseBlob(object.Key)
	switch {
	case !ok:
		return Foreign, nil
	case object.ModTime.After(c.before):
		return Young, nil
	}
	if c.last.id != b.run {
		r, err := c.store.blobRun(ctx, b.run)
		if err != nil {
			return "", err
		}
		c.last = r
	}
	switch r := &c.last; {
	case r.fate != "":
		return r.fate, nil
	case !b.value && r.logged:
		return Logged, nil
	}
	named, err := c.named(ctx, b, object.Key)
	switch {
	case err != nil:
		return "", err
	case named:
		return Named, nil
	case b.value:
		return Unnamed, nil
	}
	return LogExpired, nil
}

// blobRun is the run of a blob, as far as it matters here.
type blobRun struct {
	id             run.ID
	fate           Fate      // of all its blobs; empty: each has its own
	started, ended time.Time // no event of a step is earlier or later, since times in a log never go back
	logged         bool      // its log is there
}

func (s *Store) blobRun(ctx context.Context, id run.ID) (blobRun, error) {
	meta, err := s.runs.Get(ctx, runPartition(id))
	switch {
	case errors.Is(err, fault.NotFound):
		return blobRun{id: id, fate: RunGone}, nil
	case err != nil:
		return blobRun{}, err
	case !settled(meta):
		return blobRun{id: id, fate: Unsettled}, nil
	}
	r := blobRun{id: id, started: meta.State.Started, ended: meta.State.Ended}
	page, err := s.db.Query(ctx, driver.Query{Partition: runPartition(id), From: "LOG#", To: "LOG#" + lastSort, Limit: 1})
	r.logged = len(page.Items) > 0
	return r, err
}

// namedWithin reports whether a row names a blob of a pack.
func (c *collector) namedWithin(ctx context.Context, pack string) (bool, error) {
	data, err := c.store.GetBlob(ctx, pack)
	if errors.Is(err, fault.NotFound) {
		return false, nil // another GC was faster
	}
	if err != nil {
		return false, err
	}
	rest := bytes.NewReader(data)
	for r := tar.NewReader(rest); ; {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fault.Wrap(fault.Corrupt, "read pack "+pack, err)
		}
		b, ok := parseBlob(entry.Name)
		if !ok {
			continue
		}
		if named, err := c.named(ctx, b, placed(pack, int64(len(data)-rest.Len()), entry.Size)); named || err != nil {
			return named, err
		}
	}
}

// named reports whether a row of the blob's run names it, or a blob in it.
func (c *collector) named(ctx context.Context, b blobName, name string) (bool, error) {
	if b.pack {
		return c.namedWithin(ctx, name)
	}
	r := &c.last
	if r.started.IsZero() {
		return false, nil // it never ran a step
	}
	asset, check, isCheck := strings.Cut(b.step, ":")
	prefix, row := "MAT#", c.store.materializationNames
	if isCheck {
		prefix, row = "CHECK#"+check+"#", c.store.checkNames
	}
	q := driver.Query{Partition: assetPartition(run.AssetKey(asset), ""),
		From: prefix + r.started.UTC().Format(keyTime), To: prefix + r.ended.UTC().Format(keyTime) + "#" + lastSort}
	for {
		page, err := c.store.db.Query(ctx, q)
		if err != nil {
			return false, err
		}
		for _, item := range page.Items {
			_, id, _, err := parseEventSort(item.Sort)
			if err != nil {
				return false, err
			}
			if id != b.run {
				continue
			}
			if names, err := row(item, name); err != nil || names {
				return names, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return false, nil
		}
	}
}

func (s *Store) materializationNames(item driver.Item, blob string) (bool, error) {
	m, err := s.materialization("", item)
	return err == nil && (m.Value != nil && m.Value.Blob == blob || metadataNames(m.Metadata, blob)), err
}

func (s *Store) checkNames(item driver.Item, blob string) (bool, error) {
	c, err := s.checkResult("", "", item)
	return err == nil && (strings.Contains(c.Description, blob) || strings.Contains(c.Error, blob) || metadataNames(c.Metadata, blob)), err
}

func metadataNames(values metadata.Values, blob string) bool {
	for _, v := range values {
		if v.Blob == blob || v.Type == metadata.TypePath && v.Any() == any(blob) { // spilled, or kept by the step
			return true
		}
	}
	return false
}

// blobName is what the name of a blob says.
//
//	assets/KEY/RUN/EPOCH-ATTEMPT.CODEC                  a value
//	runs/RUN/STEP/EPOCH-ATTEMPT/metadata/LABEL.json     metadata
//	runs/RUN/STEP/EPOCH-ATTEMPT/WHAT-N.EXT              a text (txt), or what a step kept, such as a quarantine
//	runs/RUN/EPOCH-N.tar                                several of them: see Pack
//
// KEY and STEP may hold slashes.
type blobName struct {
	run   run.ID
	step  string // an asset's key, or asset:check; of a pack empty
	value bool
	pack  bool
}

var (
	attemptPart = regexp.MustCompile(`^[0-9]+-[0-9]+$`)
	packPart    = regexp.MustCompile(`^[0-9]+-[0-9]+\.tar$`)
)

func parseBlob(name string) (b blobName, ok bool) {
	parts := strings.Split(name, "/")
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return b, false
		}
	}
	n := len(parts)
	switch {
	case parts[0] == "assets" && n >= 4:
		b = blobName{run: run.ID(parts[n-2]), step: strings.Join(parts[1:n-2], "/"), value: true}
	case parts[0] == "runs" && n == 3 && packPart.MatchString(parts[2]):
		b = blobName{run: run.ID(parts[1]), pack: true}
	case parts[0] == "runs" && n >= 5:
		attempt := n - 2
		if parts[attempt] == "metadata" {
			attempt--
		}
		if attempt < 3 || !attemptPart.MatchString(parts[attempt]) {
			return b, false
		}
		b = blobName{run: run.ID(parts[1]), step: strings.Join(parts[2:attempt], "/")}
	}
	return b, len(b.run) == 36 && run.CheckPrefix(string(b.run)) == nil && (b.step != "" || b.pack)
}
