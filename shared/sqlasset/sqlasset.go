//go:build duckdb && cgo

// Package sqlasset makes assets out of SQL: a query over other assets, run by DuckDB in the step's own process.
//
// It is compiled with `-tags duckdb` alone and needs a C compiler, so that nothing else of Waggle does. Files that import it
// carry the line `//go:build duckdb` too.
//
// It knows nothing of runs and stores. Of ours it imports asset, fault and table.
package sqlasset

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/table"
)

// Options are the optional parts of an SQL asset. The zero value and nil mean all defaults.
type Options struct {
	// Options are those of every asset. Kinds defaults to "duckdb".
	asset.Options
	// Config is the configuration, made by asset.NewConfig, whose settings the query names as $name. Nil: it names none.
	Config asset.Sourced
	// MemoryLimit is how many bytes DuckDB may hold, its copies of the upstream tables and its result included. It
	// writes nothing to disk, so a query that needs more fails. 0 is 80 % of the machine's memory.
	MemoryLimit int64
	// Threads is how many threads the query may use. 0 is one a core.
	Threads int
}

// New declares an asset whose value is the result of a query.
//
//	var salesByCountry = sqlasset.New("sales_by_country", `
//		SELECT buyer_country, count(*) AS sales, sum(sale_price_usd) AS total_usd
//		FROM sales WHERE sale_price_usd >= $min_sale_value_usd GROUP BY ALL ORDER BY total_usd DESC`,
//		asset.List{sales}, &sqlasset.Options{Config: config})
//
// The query is one SELECT statement in DuckDB's dialect. Its tables are the upstream assets by their keys (quoted where a key has a
// slash: FROM "raw/sales"); their values are slices of structs or *table.Table. Each table also has DuckDB's rowid: the row's
// place from 0. The query sees nothing else: no file, no network, no extension that would have to be loaded.
//
// $name is a setting of Options.Config, bound as a value and never pasted into the text: a string is VARCHAR, whole numbers are BIGINT,
// floats DOUBLE, a time.Duration INTERVAL, []string VARCHAR[].
//
// Times are TIMESTAMP_NS in UTC. Results come back as a table has them: HUGEINT (a sum of integers) and DECIMAL without
// decimals as int64, other DECIMAL as the nearest float64, ENUM and UUID as text, any timestamp as one in UTC. A whole number that int64
// does not hold, two columns of one name, and a type that no table holds (INTERVAL, MAP, ...) are errors that name the column.
//
// Validate reports an empty query, a second statement, a text or comment that does not end, an unknown $name and an upstream asset that is no
// table. Only DuckDB knows the rest, so a syntax error or an unknown table or column fails the step: with fault.Invalid, the asset's key, and
// line and column in the query, before any row is computed. Running out of memory is fault.TooLarge.
//
// The table is added to the metadata as table.Preview of 5 rows, the time as processing_time_ms. A canceled context stops the query.
func New(key, sql string, upstream asset.List, opts *Options) *asset.Asset[*table.Table] {
	q := &query{key: key, text: sql}
	if opts != nil {
		q.memoryLimit, q.threads = opts.MemoryLimit, opts.Threads
	}
	base := asset.Options{}
	if opts != nil {
		base = opts.Options
	}
	if len(base.Kinds) == 0 {
		base.Kinds = []string{"duckdb"}
	}
	inputs, mistakes := q.inputs(upstream, opts)
	mistakes = append(mistakes, q.check()...)
	return asset.Define(key, q.run, inputs, &base, mistakes...)
}

// query is an SQL asset as declared.
type query struct {
	key         string
	text        string
	tables      []string // the upstream keys, in the order of the inputs
	config      *asset.ConfigDefinition
	memoryLimit int64
	threads     int
}

func (q *query) inputs(upstream asset.List, opts *Options) (inputs []asset.Source, mistakes []error) {
	for _, a := range upstream {
		def := asset.DefinitionOf(a)
		inputs = append(inputs, asset.Source{Asset: def}) // Define reports a nil one
		if def == nil {
			continue
		}
		key := string(def.Key)
		same := func(other string) bool { return strings.EqualFold(other, key) }
		if i := slices.IndexFunc(q.tables, same); i >= 0 {
			mistakes = append(mistakes, fmt.Errorf("upstream %q and %q are one table in SQL, which does not tell capitals apart; rename one", q.tables[i], key))
		}
		q.tables = append(q.tables, key)
		if err := isTable(def.Type); err != nil {
			mistakes = append(mistakes, fmt.Errorf("upstream %q is no table: %w", key, err))
		}
	}
	if opts != nil && opts.Config != nil {
		if q.config = opts.Config.Source().Config; q.config == nil {
			mistakes = append(mistakes, fmt.Errorf("Options.Config is nil or no configuration; make one with asset.NewConfig"))
		} else {
			inputs = append(inputs, asset.Source{Config: q.config})
		}
	}
	return inputs, mistakes
}

func isTable(t reflect.Type) error {
	switch {
	case t == nil:
		return fmt.Errorf("it has no value")
	case t == reflect.TypeFor[*table.Table]():
		return nil
	case t.Kind() != reflect.Slice:
		return fmt.Errorf("its value is a %s; a table is a slice of structs or a *table.Table", t)
	}
	return table.CheckRow(t.Elem())
}

func (q *query) check() (mistakes []error) {
	if q.memoryLimit < 0 {
		mistakes = append(mistakes, fmt.Errorf("Options.MemoryLimit is %d; it must be 0 or more bytes", q.memoryLimit))
	}
	if q.threads < 0 {
		mistakes = append(mistakes, fmt.Errorf("Options.Threads is %d; it must be 0 or more", q.threads))
	}
	parameters, wrong := scan(q.text)
	for _, err := range wrong {
		mistakes = append(mistakes, fmt.Errorf("query %w", err))
	}
	names := q.settings()
	for _, p := range parameters {
		if !slices.Contains(names, p.name) {
			mistakes = append(mistakes, fmt.Errorf("query %s: $%s: %w", placeIn(q.text, p.at), p.name, q.unknown(p.name)))
		}
	}
	return mistakes
}

// settings lists the names that the query may use.
func (q *query) settings() []string {
	if q.config == nil {
		return nil
	}
	names := make([]string, len(q.config.Fields))
	for i, f := range q.config.Fields {
		names[i] = f.Name
	}
	return names
}

func (q *query) unknown(name string) error {
	if q.config == nil {
		return fault.New(fault.Invalid, "Options.Config is nil, so it has no value").WithHint("set it to the configuration that has %q", name)
	}
	err := fault.Unknown("config key", name, q.settings())
	err.Code = fault.Invalid
	return err
}

// run makes the value of the asset: the inputs are those of the upstream assets and, where there is one, the configuration.
func (q *query) run(ctx *asset.Context, inputs []any) (*table.Table, error) {
	defer ctx.Time("query").Stop()
	var settings map[string]any
	if q.config != nil {
		settings = q.config.Values(inputs[len(q.tables)])
	}
	t, err := q.compute(ctx, inputs[:len(q.tables)], settings)
	if err != nil {
		return nil, err
	}
	ctx.AddMetadata(table.Preview(t, 5))
	return t, nil
}
