package table_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"testing"

	"waggle/shared/table"
)

type sold struct {
	SaleID       int64
	ArtworkID    *int64
	SaleDate     *string
	SalePriceUSD *int64
	BuyerCountry *string
	Title        *string
	ArtistID     *int64
	ArtworkYear  *int64
	Medium       *string
	ListPriceUSD *int64
	ArtistName   *string
	Nationality  *string
	PriceDiff    *int64
	PctChange    *float64
}

func soldRows(n int) []sold {
	rows := make([]sold, n)
	for i := range rows {
		k := int64(i)
		rows[i] = sold{k, new(k % 400), new(fmt.Sprintf("2024-%02d-%02d", 1+i%12, 1+i%28)), new(1000 + k*37%90_000_000), new([]string{"France", "Japan", "United Kingdom"}[i%3]),
			new(fmt.Sprint("Untitled No. ", k%400)), new(k % 40), new(1900 + k%100), new("oil on canvas"), new(2000 + k*13%90_000_000), new(fmt.Sprint("ARTIST ", k%40)), nil, new(k - 50), new(float64(k%1000) / 10)}
	}
	return rows
}

func BenchmarkEncode(b *testing.B) {
	for _, n := range []int{0, 1, 10, 100, 500, 100_000} {
		rows := soldRows(n)
		b.Run(fmt.Sprint(n, "_rows"), func(b *testing.B) {
			b.ReportAllocs()
			var data []byte
			for b.Loop() {
				data, _ = table.Encode(rows)
			}
			b.ReportMetric(float64(len(data)), "bytes")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{10, 500, 100_000} {
		data, _ := table.Encode(soldRows(n))
		b.Run(fmt.Sprint(n, "_rows"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := table.Decode(data, reflect.TypeFor[[]sold]()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadCSV(b *testing.B) {
	ctx := context.Background()
	if _, err := table.WriteCSV(ctx, table.At("mem://bench"), "x.csv", soldRows(100_000)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.ReadCSV[sold](ctx, table.At("mem://bench"), "x.csv"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteJSON(b *testing.B) {
	rows := soldRows(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.WriteJSON(context.Background(), table.At("mem://bench"), "x.json", rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromRows(b *testing.B) {
	rows := soldRows(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.FromRows(rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPreview(b *testing.B) {
	rows := soldRows(100_000)
	b.ReportAllocs()
	for b.Loop() {
		table.Preview(rows, 5)
	}
}

// A step's value of a few rows belongs in a row of the store, so it must be small.
func TestASmallTableIsStoredSmall(t *testing.T) {
	t.Parallel()
	data, err := table.Encode(soldRows(10))
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 4<<10 {
		t.Errorf("10 rows of 14 columns take %d bytes", len(data))
	}
	if !bytes.HasPrefix(data, []byte("PAR1")) {
		t.Error("no Parquet")
	}
}

func BenchmarkProfile(b *testing.B) {
	rows := soldRows(1_000_000)
	columns, err := table.FromRows(rows)
	if err != nil {
		b.Fatal(err)
	}
	for name, rows := range map[string]any{"structs": rows, "table": columns} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := table.ProfileOf(rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
