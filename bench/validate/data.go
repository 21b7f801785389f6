package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/bench/figures"
	"waggle/shared/table"
)

// columns are those of the table, in its order.
var columns = arrow.NewSchema([]arrow.Field{
	{Name: "sale_id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "artwork_id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "sale_price_usd", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "buyer_country", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "sale_date", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "title", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "artist_name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "list_price_usd", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "price_diff", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "pct_change", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

var countries = []string{"Argentina", "Australia", "Austria", "Belgium", "Brazil", "Canada", "Chile", "China", "Denmark", "Egypt", "Finland", "France", "Germany", "Greece",
	"India", "Ireland", "Italy", "Japan", "Kenya", "Mexico", "Netherlands", "Norway", "Poland", "Portugal", "Singapore", "Spain", "Sweden", "Switzerland", "United Kingdom", "United States"}

var (
	subjects = []string{"Still Life", "Harbour", "Portrait", "Interior", "Landscape", "Nocturne", "Bathers", "Orchard"}
	given    = []string{"Ada", "Bruno", "Clara", "Dora", "Zoë", "Frida", "Georg", "Hilma", "Ivan", "Juan", "Käthe", "Lee", "Maria", "Niki", "Olga", "Paul"}
	family   = []string{"Adler", "Beckmann", "Cassatt", "Delaunay", "Ernst", "Flack", "Gris", "Hopper", "Itten", "Jawlensky", "Klee", "Leger", "Marc", "Nolde", "Okeeffe", "Popova"}
)

// mix is the finalizer of SplitMix64, a bijection, so that different numbers stay different.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// saleID is an id of row i: any of 64 bits, none twice.
func saleID(i int) int64 { return int64(mix(uint64(i) + 0x9e3779b97f4a7c15)) }

// defects are the ways in which a row is bad.
const defects = 11

// row is a row; nil is null.
type row struct {
	SaleID, ArtworkID                  *int64
	SalePriceUSD                       *float64
	BuyerCountry                       *string
	SaleDate                           int32 // days since 1970
	Title, ArtistName                  *string
	ListPriceUSD, PriceDiff, PctChange *float64
	id, artwork                        int64
	price, list, diff, pct             float64
	country, title, artist             string
}

// fill makes row i of a table with so many percent of bad rows. It is the same in a table of any size.
func (r *row) fill(i int, bad float64) {
	h := mix(uint64(i)*0x9e3779b97f4a7c15 + 1)
	pick := func(n int) int { h = mix(h + 0x9e3779b97f4a7c15); return int(h % uint64(n)) }
	*r = row{id: saleID(i), artwork: int64(pick(500_000))}
	r.list = float64(100_000+pick(90_000_000)) / 100
	r.price = float64(int64(r.list*(0.5+float64(pick(1000))/1000)*100)) / 100
	r.diff = r.price - r.list
	r.pct = r.diff / r.list * 100
	r.country = countries[pick(len(countries))]
	r.SaleDate = int32(pick(40_000) - 20_000) // 1915 to 2024
	r.title = fmt.Sprintf("%s No. %d", subjects[pick(len(subjects))], 1_000_000+pick(9_000_000))
	r.artist = given[pick(len(given))] + " " + family[pick(len(family))]
	r.SaleID, r.ArtworkID, r.SalePriceUSD, r.BuyerCountry, r.Title, r.ArtistName = &r.id, &r.artwork, &r.price, &r.country, &r.title, &r.artist
	r.ListPriceUSD, r.PriceDiff, r.PctChange = &r.list, &r.diff, &r.pct
	if float64(pick(1_000_000)) >= bad*10_000 {
		return
	}
	switch pick(defects) {
	case 0:
		r.SaleID = nil
	case 1:
		r.SalePriceUSD = nil
	case 2:
		r.Title = nil
	case 3:
		r.price = -r.price
		r.diff = r.price - r.list
	case 4:
		r.price += 2e9
		r.diff = r.price - r.list
	case 5:
		r.country = "Atlantis"
	case 6:
		r.id = saleID(max(0, i-1-pick(min(i+1, 1000)))) // of a row before: both fail
	case 7:
		r.title = ""
	case 8:
		r.artist = "unknown " + r.artist
	case 9:
		r.SaleDate = int32(-25_568 - pick(10_000)) // to 1899
	case 10:
		r.diff += 5
	}
}

const groupRows = 1 << 17

// rowsOf makes rows of the table.
func rowsOf(from, to int, bad float64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, columns)
	b.Reserve(to - from)
	var r row
	for i := from; i < to; i++ {
		r.fill(i, bad)
		for k, v := range []*int64{r.SaleID, r.ArtworkID} {
			appendTo(b.Field(k).(*array.Int64Builder), v)
		}
		appendTo(b.Field(2).(*array.Float64Builder), r.SalePriceUSD)
		appendTo(b.Field(3).(*array.StringBuilder), r.BuyerCountry)
		b.Field(4).(*array.Date32Builder).Append(arrow.Date32(r.SaleDate))
		appendTo(b.Field(5).(*array.StringBuilder), r.Title)
		appendTo(b.Field(6).(*array.StringBuilder), r.ArtistName)
		for k, v := range []*float64{r.ListPriceUSD, r.PriceDiff, r.PctChange} {
			appendTo(b.Field(7+k).(*array.Float64Builder), v)
		}
	}
	return b.NewRecordBatch()
}

func appendTo[T any](b interface {
	Append(T)
	AppendNull()
}, v *T) {
	if v == nil {
		b.AppendNull()
	} else {
		b.Append(*v)
	}
}

// dataset writes the table to a Parquet file, once, and returns the folder and the name.
func dataset(ctx context.Context, cache string, rows int, bad float64) (table.Folder, string, error) {
	folder, name := table.At(cache), fmt.Sprintf("sales-%d-%g.parquet", rows, bad)
	if _, err := os.Stat(filepath.Join(cache, name)); err == nil || !errors.Is(err, os.ErrNotExist) {
		return folder, name, err
	}
	began := time.Now()
	w, err := table.CreateParquet(ctx, folder, name, columns)
	if err != nil {
		return folder, name, err
	}
	defer w.Discard()
	groups := (rows + groupRows - 1) / groupRows
	made := make([]chan arrow.RecordBatch, groups)
	for g := range made {
		made[g] = make(chan arrow.RecordBatch, 1)
	}
	ahead := make(chan struct{}, runtime.GOMAXPROCS(0)+1)
	go func() {
		for g := range groups {
			ahead <- struct{}{}
			go func() { made[g] <- rowsOf(g*groupRows, min(rows, (g+1)*groupRows), bad) }()
		}
	}()
	for g := range groups {
		batch := <-made[g]
		<-ahead
		if err := w.Write(table.FromArrow(array.NewTableFromRecords(columns, []arrow.RecordBatch{batch}))); err != nil {
			return folder, name, err
		}
	}
	path, err := w.Commit()
	if err == nil {
		figures.Say("wrote %s in %s", path, time.Since(began).Round(time.Millisecond))
	}
	return folder, name, err
}
