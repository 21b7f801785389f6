package dynamodriver_test

import (
	"fmt"
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/store/dynamodriver"
)

// described is the answer about a table with keys and the indexes due and all, changed by replacing words.
func described(replace ...string) reply {
	index := func(name, other string) string {
		return fmt.Sprintf(`{"IndexName":%q,"IndexStatus":"ACTIVE","KeySchema":%s,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["version","data","expires","%s_p","%[3]s_s"]}}`,
			name, schema(name+"_p", name+"_s"), other)
	}
	text := `{"Table":{"TableStatus":"ACTIVE","KeySchema":` + schema("pk", "sk") + `,"GlobalSecondaryIndexes":[` + index("due", "all") + `,` + index("all", "due") + `]}}`
	return ok("%s", strings.NewReplacer(replace...).Replace(text))
}

func schema(partition, sort string) string {
	return fmt.Sprintf(`[{"AttributeName":%q,"KeyType":"HASH"},{"AttributeName":%q,"KeyType":"RANGE"}]`, partition, sort)
}

func open(t *testing.T, replies ...reply) (*wire, error) {
	t.Helper()
	w := newWire(t, replies...)
	_, err := dynamodriver.Open(t.Context(), "runs", &dynamodriver.Options{Indexes: []string{"due", "all"}, Config: connection(w.URL)})
	return w, err
}

func TestATableThatADeploymentJustMadeGetsItsLayoutsVersion(t *testing.T) {
	t.Parallel()
	for _, put := range []reply{ok(`{}`), failing(400, "ConditionalCheckFailedException", ""), failing(400, "AccessDeniedException", "")} {
		w, err := open(t, described(), ok(`{}`), put)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := w.sent()[2].Body.(map[string]any)
		item, _ := body["Item"].(map[string]any)
		if w.sent()[2].Operation != "PutItem" || fmt.Sprint(item["pk"], item["sk"], item["version"]) != "map[S:WAGGLE] map[S:LAYOUT] map[N:1]" {
			t.Errorf("sent %v", w.sent()[2])
		}
	}
}

func TestOpenTakesATableOfThisVersion(t *testing.T) {
	t.Parallel()
	layout := ok(`{"Item":{"pk":{"S":"WAGGLE"},"sk":{"S":"LAYOUT"},"version":{"N":"1"}}}`)
	if _, err := open(t, described(), layout); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, described("INCLUDE", "ALL", `"NonKeyAttributes"`, `"Ignored"`), layout); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesOtherTables(t *testing.T) {
	t.Parallel()
	newer := ok(`{"Item":{"pk":{"S":"WAGGLE"},"sk":{"S":"LAYOUT"},"version":{"N":"2"}}}`)
	for name, c := range map[string]struct {
		replies []reply
		code    fault.Code
		words   []string
	}{
		"none":              {[]reply{failing(400, "ResourceNotFoundException", "")}, fault.NotFound, []string{"there is no table runs"}},
		"other keys":        {[]reply{described(`"pk"`, `"id"`)}, fault.Incompatible, []string{"another program", "name another table"}},
		"no index":          {[]reply{described(`"due"`, `"dew"`)}, fault.Incompatible, []string{`no index "due"`, "deploy"}},
		"other index keys":  {[]reply{described(`{"AttributeName":"due_s"`, `{"AttributeName":"due_t"`)}, fault.Incompatible, []string{`"due"`, "due_s"}},
		"other projection":  {[]reply{described(`"data",`, ``)}, fault.Incompatible, []string{`"due"`, "data"}},
		"being made":        {[]reply{described(`{"TableStatus":"ACTIVE"`, `{"TableStatus":"CREATING"`)}, fault.Unavailable, []string{"CREATING", "wait"}},
		"index being built": {[]reply{described(`"IndexStatus":"ACTIVE"`, `"IndexStatus":"CREATING"`)}, fault.Unavailable, []string{`"due"`, "wait"}},
		"newer":             {[]reply{described(), newer}, fault.Incompatible, []string{"layout 2", "use a newer waggle"}},
		"no right":          {[]reply{failing(400, "AccessDeniedException", "dynamodb:DescribeTable")}, fault.Denied, []string{"DescribeTable"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, c.replies...)
			wantCode(t, err, c.code, append(c.words, "open table runs")...)
		})
	}
}

func TestCreateMakesTheTableOnDemandWithItsIndexesAndTimeToLive(t *testing.T) {
	t.Parallel()
	w := newWire(t, ok(`{}`), failing(400, "ResourceNotFoundException", ""), described(`{"TableStatus":"ACTIVE"`, `{"TableStatus":"CREATING"`), described(), ok(`{}`), ok(`{}`))
	if err := dynamodriver.Create(t.Context(), "runs", &dynamodriver.Options{Indexes: []string{"due", "all"}, Config: connection(w.URL)}); err != nil {
		t.Fatal(err)
	}
	index := func(name, other string) string {
		return fmt.Sprintf(`{"IndexName":%q,"KeySchema":%s,"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["version","data","expires","%s_p","%[3]s_s"]}}`,
			name, schema(name+"_p", name+"_s"), other)
	}
	var attributes []string
	for _, name := range []string{"pk", "sk", "due_p", "due_s", "all_p", "all_s"} {
		attributes = append(attributes, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":"S"}`, name))
	}
	w.wantSent(0, "CreateTable", `{"TableName":"runs","BillingMode":"PAY_PER_REQUEST","KeySchema":`+schema("pk", "sk")+`,
		"AttributeDefinitions":[`+strings.Join(attributes, ",")+`],"GlobalSecondaryIndexes":[`+index("due", "all")+`,`+index("all", "due")+`]}`)
	w.wantSent(4, "UpdateTimeToLive", `{"TableName":"runs","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}`)
}

func TestCreateOfATableThatExistsIsAConflict(t *testing.T) {
	t.Parallel()
	w := newWire(t, failing(400, "ResourceInUseException", "Table already exists: runs"))
	err := dynamodriver.Create(t.Context(), "runs", &dynamodriver.Options{Indexes: []string{"due", "all"}, Config: connection(w.URL)})
	wantCode(t, err, fault.Conflict, "create table runs", "it exists")
}
