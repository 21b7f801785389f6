//go:build duckdb

package sqlasset_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/sqlasset"
	"waggle/shared/waggle"
	"waggle/shared/waggletest"
)

func TestValidateReportsWhatIsWrongWithAQueryByFileAndLine(t *testing.T) {
	t.Parallel()
	number := asset.New("number", func(*asset.Context) (int, error) { return 0, nil }, nil)
	done := asset.Do("done", func(*asset.Context) error { return nil }, nil)
	big := asset.New("SALES", func(*asset.Context) ([]sale, error) { return nil, nil }, nil)
	upstream := asset.List{sales}
	configured := &sqlasset.Options{Config: config}
	var never *asset.Config[settings]
	for want, a := range map[string]asset.Any{
		`asset "bad key": a key has letters`: sqlasset.New("bad key", `SELECT 1 AS a`, upstream, nil),
		`asset "a1": query is empty`:         sqlasset.New("a1", " -- nothing\n", upstream, nil),
		`asset "a2": query line 2, column 2: a second statement begins; an asset is one SELECT`:                                                        sqlasset.New("a2", "SELECT 1 AS a;\n DROP TABLE sales", upstream, nil),
		`asset "a3": query line 1, column 8: a text does not end`:                                                                                      sqlasset.New("a3", `SELECT 'it''s AS a`, upstream, nil),
		`asset "a4": query line 2, column 3: a comment does not end`:                                                                                   sqlasset.New("a4", "SELECT 1 AS a\n  /* /* */ ;", upstream, nil),
		`asset "a5": query line 1, column 12: $min_prize: unknown config key "min_prize" (did you mean "min_price"?)`:                                  sqlasset.New("a5", `SELECT 'é',$min_prize`, upstream, configured),
		`asset "a6": query line 1, column 8: $min_price: Options.Config is nil, so it has no value (set it to the configuration that has "min_price")`: sqlasset.New("a6", `SELECT $min_price`, upstream, nil),
		`asset "a7": query line 1, column 8: $1 is a parameter by position; write the setting's name`:                                                  sqlasset.New("a7", `SELECT $1`, upstream, configured),
		`asset "a8": query line 1, column 8: ? is a parameter by position`:                                                                             sqlasset.New("a8", `SELECT ?`, upstream, configured),
		`asset "a17": query line 1, column 8: a $ stands alone; write the setting's name right behind it`:                                              sqlasset.New("a17", `SELECT $ min_price`, upstream, configured),
		`asset "a9": input 2 is nil`: sqlasset.New("a9", `SELECT 1 AS a`, asset.List{sales, nil}, nil),
		`asset "a10": upstream "number" is no table: its value is a int; a table is a slice of structs or a *table.Table`: sqlasset.New("a10", `SELECT 1 AS a`, asset.List{number}, nil),
		`asset "a11": upstream "done" is no table: it has no value`:                                                       sqlasset.New("a11", `SELECT 1 AS a`, asset.List{done}, nil),
		`asset "a12": upstream "sales" and "SALES" are one table in SQL`:                                                  sqlasset.New("a12", `SELECT 1 AS a`, asset.List{sales, big}, nil),
		`asset "a13": Options.Config is nil or no configuration`:                                                          sqlasset.New("a13", `SELECT 1 AS a`, upstream, &sqlasset.Options{Config: never}),
		`asset "a14": Options.MemoryLimit is -1; it must be 0 or more bytes`:                                              sqlasset.New("a14", `SELECT 1 AS a`, upstream, &sqlasset.Options{MemoryLimit: -1}),
		`asset "a15": Options.Threads is -1; it must be 0 or more`:                                                        sqlasset.New("a15", `SELECT 1 AS a`, upstream, &sqlasset.Options{Threads: -1}),
		`asset "a16": Timeout is -1ns; it must be 0 or more`:                                                              sqlasset.New("a16", `SELECT 1 AS a`, upstream, &sqlasset.Options{Options: asset.Options{Timeout: -1}}),
	} {
		err := waggle.Definitions{Assets: asset.List{sales, number, done, big, a}}.Validate()
		if err == nil || !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", want, err)
			continue
		}
		place := regexp.MustCompile(`(?m)^shared/sqlasset/sqlasset_test\.go:\d+: ` + regexp.QuoteMeta(want))
		if !place.MatchString(err.Error()) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

func TestAQueryThatIsWellWrittenValidates(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`SELECT 1 AS a;`, "SELECT 1 AS a; -- the end\n;", `FROM sales`, `WITH x AS (SELECT 1 AS a) SELECT * FROM x`,
		`SELECT '$nobody; ?' AS "$a;?", $$ $nobody ; ' $$ AS b, $q$ $$; $q$ AS c, e'\'$nobody' AS d /* $nobody; /* ? */ */ -- $nobody ;`,
		`SELECT price AS a$nobody FROM sales WHERE price > $min_price AND ($strict OR country = $country)`,
	} {
		made := sqlasset.New("made", sql, asset.List{sales}, &sqlasset.Options{Config: config})
		if err := (waggle.Definitions{Assets: asset.List{sales, made}}).Validate(); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
		if _, err := query(t, sql, &sqlasset.Options{Config: config}); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestErrorsNameTheAssetAndThePlace(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"SELECT *\nFORM sales":                               `line 2, column 6: syntax error at or near "sales"`,
		"SELECT\n  'é', prize FROM sales":                    `line 2, column 8: Referenced column "prize" not found`,
		`SELECT * FROM salse`:                                `line 1, column 15: unknown table "salse", which is no upstream asset (did you mean "sales"?)`,
		`SELECT * FROM inventory`:                            `line 1, column 15: unknown table "inventory", which is no upstream asset (there is sales)`,
		`SELECT nope(1)`:                                     `line 1, column 8: Scalar Function with name nope does not exist!`,
		`SELECT country::INTEGER FROM sales`:                 `line 1, column 15: Could not convert string 'Peru' to INT32`,
		`SELECT 9223372036854775807 + price AS a FROM sales`: `Overflow in addition of INT64 (9223372036854775807 + 5)!`,
		``:                             `is empty`,
		`SELECT 1 AS a; SELECT 2 AS b`: `has 2 statements; an asset is one SELECT`,
		`CREATE TABLE x (a INT)`:       `is no SELECT; an asset's value is what one SELECT returns`,
		`DELETE FROM sales`:            `is no SELECT`,
		`SET threads = 1`:              `is no SELECT`,
		`SELECT $min_prize AS a`:       `$min_prize: unknown config key "min_prize" (did you mean "min_price"?)`,
	} {
		_, err := query(t, sql, &sqlasset.Options{Config: config})
		if !errors.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), `SQL of "made": `+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got\n%v, want\n%s", sql, err, want)
		}
	}
}

func TestSettingsAreBoundAndNeverPasted(t *testing.T) {
	t.Parallel()
	type named struct{ Evil string }
	evil := `Peru'; DROP TABLE sales; --`
	for sql, want := range map[string]string{
		`SELECT sale_id FROM sales WHERE price >= $min_price`:                          `{"sale_id":3}`,
		`SELECT sale_id FROM sales WHERE country = $country`:                           `{"sale_id":1}`,
		`SELECT count(*) AS n FROM sales WHERE list_contains($countries, country)`:     `{"n":2}`,
		`SELECT count(*) AS n FROM sales WHERE country IN (SELECT unnest($countries))`: `{"n":2}`,
		`SELECT $rate * 2 AS x, $threads + $threads AS y`:                              `{"x":1,"y":6}`,
		`SELECT NOT $strict AS x`:                                                      `{"x":false}`,
		`SELECT TIMESTAMP '2020-01-03' - $within AS x`:                                 `{"x":"2020-01-01T12:00:00Z"}`,
		`SELECT typeof($min_price) AS a, typeof($rate) AS b, typeof($country) AS c, typeof($countries) AS d, typeof($within) AS e, typeof($strict) AS f`: `{"a":"BIGINT","b":"DOUBLE","c":"VARCHAR","d":"VARCHAR[]","e":"INTERVAL","f":"BOOLEAN"}`,
	} {
		made, err := query(t, sql, &sqlasset.Options{Config: config})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if got := rowsOf(t, made); got != want {
			t.Errorf("%s: got %s, want %s", sql, got, want)
		}
	}
	made, err := query(t, `SELECT count(*) AS n, $evil AS e FROM sales WHERE country = $evil`, &sqlasset.Options{Config: asset.NewConfig(named{evil})})
	if err != nil || rowsOf(t, made) != `{"n":0,"e":"`+evil+`"}` {
		t.Errorf("%v", err)
	}
}

func TestAJobRunsSQLAssetsWithItsConfiguration(t *testing.T) {
	t.Parallel()
	big := sqlasset.New("big", `SELECT country, sum(price) AS total FROM sales WHERE price >= $min_price GROUP BY ALL ORDER BY ALL`,
		asset.List{sales}, &sqlasset.Options{Config: config, Threads: 1, MemoryLimit: 64 << 20})
	number := sqlasset.New("number", `SELECT count(*) AS n FROM big`, asset.List{big}, nil)
	broken := sqlasset.New("broken", "SELECT n,\n  m FROM number", asset.List{number}, &sqlasset.Options{Options: asset.Options{Group: "late"}})
	assets := asset.List{sales, big, number, broken}
	r := waggletest.RunJob(t, waggle.Definitions{Assets: assets, Jobs: job.List{job.New("shop", assets, nil)}}, "shop",
		&waggletest.Options{Config: map[string]any{"min_price": 1}})
	if got := rowsOf(t, waggletest.Output(t, r, big)); got != "{\"country\":\"Peru\",\"total\":5},\n{\"country\":\"Été\",\"total\":9}" {
		t.Errorf("big is %s", got)
	}
	if got := rowsOf(t, waggletest.Output(t, r, number)); got != `{"n":2}` {
		t.Errorf("number is %s", got)
	}
	if r.Status != run.Failure || !strings.Contains(r.Error, `SQL of "broken": line 2, column 3: Referenced column "m" not found`) {
		t.Errorf("%s %s", r.Status, r.Error)
	}
	for _, m := range r.Materializations {
		if m.Asset == "big" && (m.Metadata["record_count"].Any() != int64(2) || m.Metadata["processing_time_ms"].Any() == nil || m.Metadata["preview"].Any() == nil) {
			t.Errorf("metadata %v", m.Metadata)
		}
	}
	if kinds := fmt.Sprint(big.Definition().Options.Kinds, broken.Definition().Options.Group); kinds != "[duckdb]late" {
		t.Errorf("options %s", kinds)
	}
}
