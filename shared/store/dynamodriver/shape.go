package dynamodriver

// Shape is a table as Create makes it and Open wants it, for deployments that make their own. All keys are text. The table is on
// demand.
type Shape struct {
	Partition, Sort string // the attributes of its key
	Expires         string // the attribute of the time to live, in seconds since 1970
	Indexes         []IndexShape
}

// IndexShape is an index: its key, and the attributes that it holds besides keys.
type IndexShape struct {
	Name            string
	Partition, Sort string
	Projected       []string
}

// ShapeOf returns the table with indexes of these names, as Options.Indexes has them.
func ShapeOf(indexes []string) Shape {
	shape := Shape{Partition: attrPartition, Sort: attrSort, Expires: attrExpires}
	for _, index := range indexes {
		p, s := indexAttributes(index)
		shape.Indexes = append(shape.Indexes, IndexShape{Name: index, Partition: p, Sort: s, Projected: projected(indexes, index)})
	}
	return shape
}

// projected are the attributes that an index holds besides the keys, its own and the table's.
func projected(indexes []string, index string) []string {
	list := []string{attrVersion, attrData, attrExpires}
	for _, other := range indexes {
		if other != index {
			p, s := indexAttributes(other)
			list = append(list, p, s)
		}
	}
	return list
}
