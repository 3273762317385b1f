package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/theory/jsonpath"
)

// query is one --json: a path and perhaps what it must select.
type query struct {
	text  string // all of it
	name  string // the path as it was written
	path  *jsonpath.Path
	exact bool // with a value
	value string
	// data is the value read as JSON; nil if it is none, and for null.
	data   any
	isJSON bool
}

// queries is an option's value: one query for each time it is given.
type queries []query

// String is the queries, which is for people only.
func (q *queries) String() string {
	texts := make([]string, len(*q))
	for i, one := range *q {
		texts[i] = one.text
	}
	return strings.Join(texts, " ")
}

// Set adds a query.
func (q *queries) Set(text string) error {
	one, err := parseQuery(text)
	if err == nil {
		*q = append(*q, one)
	}
	return err
}

// parseQuery reads PATH or PATH=VALUE. A path may hold "=" itself, in a
// filter, but never where it has ended; so the first sign that a whole path
// stands before is the one.
func parseQuery(text string) (query, error) {
	path, err := jsonpath.Parse(text)
	if err == nil {
		return query{text: text, name: text, path: path}, thrifty(path)
	}
	for i := range len(text) {
		if text[i] != '=' {
			continue
		}
		if p, e := jsonpath.Parse(text[:i]); e == nil {
			q := query{text: text, name: text[:i], path: p, exact: true, value: text[i+1:]}
			q.data, e = decode([]byte(q.value))
			q.isJSON = e == nil
			return q, thrifty(p)
		}
	}
	return query{}, fmt.Errorf("want a path such as $.status or $.status=UP: %w", err)
}

// thrifty is an error for a path that could cost more than the body is long:
// one that goes down to all descendants of all descendants.
func thrifty(p *jsonpath.Path) error {
	if strings.Count(unquoted(p.String()), "..") > 1 {
		return errors.New(`want ".." once at most in a path: more could take for ever`)
	}
	return nil
}

// unquoted is a path, as its String writes it, without the names and values
// between quotes.
func unquoted(path string) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case quote != 0 && c == '\\':
			i++
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// maxDepth is how deep JSON may be nested.
const maxDepth = 200

// decode reads one JSON value, with numbers as they are written.
func decode(b []byte) (any, error) {
	if err := shallow(b); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more comes after its end")
	}
	return v, nil
}

// shallow is an error for JSON that is nested too deep.
func shallow(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("it is nested deeper than %d", maxDepth)
		}
	}
	return nil
}

// queries judges what the queries select.
func (j *judging) queries() (told string, err error) {
	if len(j.o.json) == 0 {
		return "", nil
	}
	if err := j.whole("--json"); err != nil {
		return "", err
	}
	data, err := decode(j.a.Body)
	if err != nil {
		return "", fmt.Errorf("the body is no JSON: %w", err)
	}
	for i := range j.o.json {
		q := &j.o.json[i]
		nodes := q.path.Select(data)
		if err := q.judge(nodes); err != nil {
			return "", err
		}
		j.nodes = append(j.nodes, nodes)
		told += ", " + q.name + " is " + show(nodes)
	}
	return told, nil
}

// judge judges what a query selected.
func (q *query) judge(nodes []any) error {
	if len(nodes) == 0 {
		return fmt.Errorf("%s selects nothing", q.name)
	}
	for _, n := range nodes {
		if q.exact && !q.is(n) {
			return fmt.Errorf("%s is %s, want %s", q.name, show([]any{n}), clip(q.value))
		}
	}
	return nil
}

// is reports whether a node is the value: the same text, or the same in JSON.
func (q *query) is(node any) bool {
	if s, ok := node.(string); ok && s == q.value {
		return true
	}
	return q.isJSON && equal(node, q.data)
}

// equal compares decoded JSON, numbers by what they are worth.
func equal(a, b any) bool {
	x, ok := a.(json.Number)
	if !ok {
		return reflect.DeepEqual(a, b)
	}
	y, ok := b.(json.Number)
	if !ok || x == y {
		return ok
	}
	f, err := strconv.ParseFloat(x.String(), 64)
	g, err2 := strconv.ParseFloat(y.String(), 64)
	return err == nil && err2 == nil && f == g
}

// show is what a query selected, for the detail.
func show(nodes []any) string {
	var v any = nodes
	if len(nodes) == 1 {
		v = nodes[0]
	}
	return clip(string(encode(v)))
}

// encode writes decoded JSON in one way only: without blanks, names in order.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // it was decoded: there is nothing in it that cannot be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
