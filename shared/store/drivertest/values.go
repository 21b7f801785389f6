package drivertest

import (
	"math"

	"waggle/shared/store/driver"
)

var values = []contract{
	{"data comes back with the same values", func(s *setup) {
		for _, data := range []string{
			`{}`,
			`{"a":null,"b":true,"c":false,"":"empty name"}`,
			`{"min":-9223372036854775808,"max":9223372036854775807,"unsafe":9007199254740993}`,
			`{"f":0.1,"g":-1.5e-100,"h":1e100,"i":3.141592653589793,"j":1.0,"k":0.0}`,
			`{"largest":1.7976931348623157e308,"smallest":5e-324}`,
			`{"s":"","text":"a\"b\\c\n\t\u0001é€𝄞\u2028<>&","key\u00e9":1}`,
			`{"list":[],"object":{},"nested":[[1,[2,[3,{"a":[{"b":null}]}]]],"x",true,null]}`,
			`{"number as text":"007","mixed":[1,"1",1.5,null,{}]}`,
			"{ \"spaced\" :\n 1 }",
		} {
			item := row("a", 1)
			item.Data = []byte(data)
			s.put(item)
			s.wantGet(item)
			for _, found := range s.all(driver.Query{Partition: "RUN#1"}) {
				if diff := difference(item, found); diff != "" {
					s.Fatal(diff)
				}
			}
		}
	}},
	{"nil data is written and read as {}", func(s *setup) {
		s.put(driver.Item{Key: key("a")}, driver.Item{Key: key("b"), Data: []byte{}})
		for _, sort := range []string{"a", "b"} {
			item, err := s.Get(s.ctx, key(sort))
			s.ok(err)
			if string(item.Data) != "{}" {
				s.Fatalf("data is %q", item.Data)
			}
		}
	}},
	{"body comes back byte for byte", func(s *setup) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for _, body := range [][]byte{nil, {}, {0}, {0, 0, 0}, []byte("text"), every, make([]byte, 64<<10)} {
			item := row("a", 1)
			item.Body = body
			s.put(item)
			s.wantGet(item)
		}
	}},
	{"a version may be any int64", func(s *setup) {
		for _, version := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
			s.put(row("a", version))
			s.wantGet(row("a", version))
			s.ok(s.Put(s.ctx, row("a", 1), driver.IfVersion(version)))
		}
	}},
	{"keys may hold any character but zero", func(s *setup) {
		for _, sort := range []string{" ", "%_'\"\\", "\n\t\x01\x7f", "a/b?c=d", "\ufffd", "𝄞", "\U0010ffff"} {
			item := driver.Item{Key: at(sort, sort), Version: 1, Entries: []driver.Entry{entry("due", sort, sort)}}
			s.put(item)
			s.wantGet(item)
			s.wantSorts(driver.Query{Partition: sort, Limit: 1}, sort)
			s.wantIndex(driver.Query{Index: "due", Partition: sort, Limit: 1}, sort)
		}
	}},
}
