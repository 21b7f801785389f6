package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/bench/figures"
	"waggle/shared/schema"
	"waggle/shared/table"
)

// measured is one run.
type measured struct {
	verdict
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_seconds"`
	Kernel   float64 `json:"kernel_seconds"` // of the CPU's
	TablesMB float64 `json:"tables_mb"`
	PeakMB   float64 `json:"peak_mb"`  // 0 where the system does not say
	AboveMB  float64 `json:"above_mb"` // the most memory over what was held before, without the tables that were made
}

// measure times one run in this process.
func measure(ctx context.Context, o options) (measured, error) {
	folder, name, err := dataset(ctx, o.cache, o.rows, o.bad)
	if err != nil {
		return measured{}, err
	}
	if o.stream {
		return measureStream(ctx, o, folder, name)
	}
	switch o.source {
	case "structs":
		return measureStructs(ctx, o, folder, name)
	case "memory", "parquet":
		return measureTable(ctx, o, folder, name)
	}
	return measured{}, fmt.Errorf("-source %q: it is memory, parquet or structs", o.source)
}

func measureTable(ctx context.Context, o options, folder table.Folder, name string) (measured, error) {
	s := rules()
	var in *table.Table
	var err error
	if o.source == "memory" {
		if in, err = table.ReadParquetTable(ctx, folder, name); err != nil {
			return measured{}, err
		}
	}
	var good, bad *table.Table
	var errorCount int
	var counts []schema.Count
	var invalid iter.Seq[int]
	m, err := timed(o, func() error {
		if o.source == "parquet" {
			var r *schema.ParquetResult
			if good, bad, r, err = schema.SplitParquet(ctx, s, folder, name); err == nil {
				errorCount, counts, invalid = r.ErrorCount, r.Counts, r.InvalidRows()
			}
			return err
		}
		var r *schema.Result
		if good, bad, r, err = schema.Split(s, in); err == nil {
			errorCount, counts, invalid = r.ErrorCount, r.Counts, r.InvalidRows()
		}
		return err
	})
	if err != nil {
		return m, err
	}
	m.TablesMB = figures.Round(megabytes(good) + megabytes(bad))
	m.AboveMB -= m.TablesMB
	if in != nil {
		m.TablesMB = figures.Round(m.TablesMB + megabytes(in))
	}
	var sum checksum
	tableSum(&sum.valid, good)
	tableSum(&sum.invalid, bad)
	m.verdict = verdictOf(errorCount, counts, invalid, &sum, good.NumRows(), bad.NumRows())
	return m, nil
}

// measureStream writes both tables to files, row group by row group, and reads them afterwards to compare.
func measureStream(ctx context.Context, o options, folder table.Folder, name string) (measured, error) {
	valid, invalid := schema.Output{Folder: folder, File: "valid.parquet"}, schema.Output{Folder: folder, File: "invalid.parquet"}
	if !o.outputs {
		valid, invalid = schema.Output{}, schema.Output{}
	}
	var r *schema.ParquetResult
	m, err := timed(o, func() (err error) {
		r, err = schema.ValidateParquet(ctx, rules(), folder, name, &schema.ParquetOptions{Valid: valid, Invalid: invalid, TempDir: o.cache})
		return err
	})
	if err != nil {
		return m, err
	}
	m.AboveMB = 0
	var sum checksum
	m.verdict = verdict{ValidRows: r.Rows - r.InvalidRowCount, InvalidRows: r.InvalidRowCount}
	if o.outputs {
		err = errors.Join(fileSum(ctx, &sum.valid, folder, valid.File, m.ValidRows), fileSum(ctx, &sum.invalid, folder, invalid.File, m.InvalidRows))
	}
	m.verdict = verdictOf(r.ErrorCount, r.Counts, r.InvalidRows(), &sum, m.ValidRows, m.InvalidRows)
	return m, err
}

// fileSum adds the rows of a file to a table's sum, a row group at a time.
func fileSum(ctx context.Context, sum *uint64, folder table.Folder, name string, rows int) error {
	f, err := table.OpenParquet(ctx, folder, name)
	if err != nil {
		return err
	}
	defer f.Close()
	for g := range f.Groups() {
		t, err := f.Read(ctx, g)
		if err != nil {
			return err
		}
		rows -= t.NumRows()
		tableSum(sum, t)
	}
	if rows != 0 {
		return fmt.Errorf("%s lacks %d rows", name, rows)
	}
	return nil
}

// sale is a row as a struct. Structs have no dates: it has a timestamp.
type sale struct {
	SaleID       *int64
	ArtworkID    int64
	SalePriceUSD *float64
	BuyerCountry string
	SaleDate     time.Time
	Title        *string
	ArtistName   string
	ListPriceUSD float64
	PriceDiff    float64
	PctChange    float64
}

func measureStructs(ctx context.Context, o options, folder table.Folder, name string) (measured, error) {
	in, err := table.ReadParquet[sale](ctx, folder, name)
	if err != nil {
		return measured{}, err
	}
	s := structRules()
	var good, bad []sale
	var result *schema.Result
	m, err := timed(o, func() (err error) {
		good, bad, result, err = schema.Split(s, in)
		return err
	})
	if err != nil {
		return m, err
	}
	var sum checksum
	structSum(&sum.valid, good)
	structSum(&sum.invalid, bad)
	m.verdict = verdictOf(result.ErrorCount, result.Counts, result.InvalidRows(), &sum, len(good), len(bad))
	runtime.KeepAlive(in)
	return m, nil
}

// timed calls what is measured, from a heap without garbage.
func timed(o options, call func() error) (m measured, err error) {
	if runtime.GC(); o.lean {
		debug.FreeOSMemory()
	}
	forgetPeak()
	if o.cpuProfile != "" {
		f, err := os.Create(o.cpuProfile)
		if err != nil {
			return m, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return m, err
		}
	}
	before := held("VmRSS:")
	cpu, kernel, began := figures.CPU(), kernelTime(), time.Now()
	err = call()
	m.Seconds, m.CPU = time.Since(began).Seconds(), (figures.CPU() - cpu).Seconds()
	pprof.StopCPUProfile()
	m.Kernel = (kernelTime() - kernel).Seconds()
	m.PeakMB = held("VmHWM:")
	m.AboveMB = m.PeakMB - before
	return m, err
}

// forgetPeak makes the kernel count the most memory from here on, where it can.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

func kernelTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Stime.Nano())
}

// held is what this process holds, VmRSS, or the most it held since forgetPeak, VmHWM; 0 where the system does not say.
func held(which string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), which)
	kb, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseFloat(kb, 64)
	if err != nil {
		return 0
	}
	return figures.Round(n / 1024)
}

func verdictOf(errors int, counts []schema.Count, rows iter.Seq[int], sum *checksum, valid, invalid int) verdict {
	for _, c := range counts {
		sum.broken(c.Column+" "+checkName(c.Check), c.Count)
	}
	for i := range rows {
		sum.row(i)
	}
	return verdict{Errors: errors, ValidRows: valid, InvalidRows: invalid, Checksum: sum.String()}
}

// checkName leaves the values out of one_of, whose name is long.
func checkName(check string) string {
	if strings.HasPrefix(check, "one_of(") {
		return "one_of"
	}
	return strings.Replace(check, "T00:00:00Z", "", 1) // the bound of a timestamp
}

func megabytes(t *table.Table) float64 {
	var n uint64
	for i := range int(t.Arrow().NumCols()) {
		for _, a := range t.Arrow().Column(i).Data().Chunks() {
			n += sliceBytes(a)
		}
	}
	return float64(n) / (1 << 20)
}

// sliceBytes is what the rows of an array take.
func sliceBytes(a arrow.Array) uint64 {
	switch a := a.(type) {
	case *array.String:
		return uint64(a.Len())*4 + uint64(a.Len())/8 + uint64(len(a.ValueBytes()))
	case *array.Date32:
		return uint64(a.Len())*4 + uint64(a.Len())/8
	}
	return uint64(a.Len())*8 + uint64(a.Len())/8
}

// tableSum adds the rows of a table to its sum.
func tableSum(sum *uint64, t *table.Table) {
	batches := array.NewTableReader(t.Arrow(), groupRows)
	defer batches.Release()
	for batches.Next() {
		b := batches.RecordBatch()
		ints := func(k int) *array.Int64 { return b.Column(k).(*array.Int64) }
		floats := func(k int) *array.Float64 { return b.Column(k).(*array.Float64) }
		texts := func(k int) *array.String { return b.Column(k).(*array.String) }
		id, artwork, price, country, days, title := ints(0), ints(1), floats(2), texts(3), b.Column(4).(*array.Date32), texts(5)
		artist, list, diff, pct := texts(6), floats(7), floats(8), floats(9)
		for i := range int(b.NumRows()) {
			r := row{SaleDate: int32(days.Value(i))}
			r.SaleID, r.ArtworkID = at(id, i, &r.id), at(artwork, i, &r.artwork)
			r.SalePriceUSD, r.ListPriceUSD, r.PriceDiff, r.PctChange = at(price, i, &r.price), at(list, i, &r.list), at(diff, i, &r.diff), at(pct, i, &r.pct)
			r.BuyerCountry, r.Title, r.ArtistName = at(country, i, &r.country), at(title, i, &r.title), at(artist, i, &r.artist)
			add(sum, r.cells())
		}
	}
}

func at[T any](a interface {
	IsNull(int) bool
	Value(int) T
}, i int, room *T) *T {
	if a.IsNull(i) {
		return nil
	}
	*room = a.Value(i)
	return room
}

func structSum(sum *uint64, rows []sale) {
	for i := range rows {
		s := &rows[i]
		r := row{SaleID: s.SaleID, ArtworkID: &s.ArtworkID, SalePriceUSD: s.SalePriceUSD, BuyerCountry: &s.BuyerCountry, SaleDate: int32(s.SaleDate.Unix() / 86400),
			Title: s.Title, ArtistName: &s.ArtistName, ListPriceUSD: &s.ListPriceUSD, PriceDiff: &s.PriceDiff, PctChange: &s.PctChange}
		add(sum, r.cells())
	}
}

var errDiffers = errors.New("what was found is not what the reference finds")
