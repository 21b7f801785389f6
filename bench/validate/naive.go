package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// verdict is what is compared: how much failed, and that it is the right rows, rules and tables.
type verdict struct {
	Errors      int    `json:"errors"`
	ValidRows   int    `json:"valid_rows"`
	InvalidRows int    `json:"invalid_rows"`
	Checksum    string `json:"checksum"`
}

// checksum adds up how often each check failed, which rows are invalid, and the rows of both tables, in their order.
type checksum struct{ found, valid, invalid uint64 }

// broken adds the failures of a check.
func (c *checksum) broken(check string, count int) {
	h := uint64(14695981039346656037)
	for _, b := range []byte(check) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	c.found += mix(h) * uint64(count)
}

// row adds an invalid row by its place.
func (c *checksum) row(i int) { c.found += mix(uint64(i) + 1) }

// add adds a row, by its cells, to a table's sum.
func add(sum *uint64, cells uint64) { *sum = mix(*sum + cells) }

func (c *checksum) String() string {
	return fmt.Sprintf("%016x", mix(c.found+mix(c.valid+mix(c.invalid))))
}

// cells is a number for the values of a row.
func (r *row) cells() uint64 {
	h := uint64(r.SaleDate)
	for _, v := range []*int64{r.SaleID, r.ArtworkID} {
		h = mix(h + 1)
		if v != nil {
			h = mix(h + uint64(*v))
		}
	}
	for _, v := range []*float64{r.SalePriceUSD, r.ListPriceUSD, r.PriceDiff, r.PctChange} {
		h = mix(h + 2)
		if v != nil {
			h = mix(h + math.Float64bits(*v))
		}
	}
	for _, v := range []*string{r.BuyerCountry, r.Title, r.ArtistName} {
		h = mix(h + 3)
		if v != nil {
			h = mix(h + uint64(len(*v)))
			for i := 0; i < len(*v); i++ {
				h = (h ^ uint64((*v)[i])) * 1099511628211
			}
		}
	}
	return mix(h)
}

// naive judges the table a row at a time, with maps, from the rows as they are made: it shares nothing with
// shared/schema. tables: the rows of the tables are in the sum.
func naive(rows int, bad float64, tables bool) verdict {
	ids := map[int64]int{}
	var r row
	for i := range rows {
		if r.fill(i, bad); r.SaleID != nil {
			ids[*r.SaleID]++
		}
	}
	capital := regexp.MustCompile(`^[A-Z]`)
	earliest := int32(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	var v verdict
	var sum checksum
	for i := range rows {
		r.fill(i, bad)
		var broken []string
		breaks := func(check string, is bool) {
			if is {
				broken = append(broken, check)
			}
		}
		breaks("sale_id not_null", r.SaleID == nil)
		breaks("sale_price_usd not_null", r.SalePriceUSD == nil)
		breaks("title not_null", r.Title == nil)
		breaks("sale_id unique", r.SaleID != nil && ids[*r.SaleID] > 1)
		if r.SalePriceUSD != nil {
			breaks("sale_price_usd at_least(0)", !(*r.SalePriceUSD >= 0))
			breaks("sale_price_usd at_most(1000000000)", !(*r.SalePriceUSD <= 1e9))
			breaks("sale_price_usd, list_price_usd, price_diff price_diff_fits", !(math.Abs(*r.PriceDiff-(*r.SalePriceUSD-*r.ListPriceUSD)) <= 0.01))
		}
		breaks("buyer_country one_of", !slices.Contains(countries, *r.BuyerCountry))
		breaks("sale_date at_least(1900-01-01)", r.SaleDate < earliest)
		if r.Title != nil {
			n := utf8.RuneCountInString(*r.Title)
			breaks("title length(1, 200)", n < 1 || n > 200)
		}
		breaks("artist_name matches(^[A-Z])", !capital.MatchString(*r.ArtistName))
		for _, check := range broken {
			sum.broken(check, 1)
		}
		v.Errors += len(broken)
		if len(broken) > 0 {
			v.InvalidRows++
			sum.row(i)
			add(&sum.invalid, r.cells())
		} else {
			v.ValidRows++
			add(&sum.valid, r.cells())
		}
	}
	if !tables {
		sum.valid, sum.invalid = 0, 0
	}
	v.Checksum = sum.String()
	return v
}
