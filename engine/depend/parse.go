package depend

import "fmt"

// SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	// Text is the whole expression.
	Text string
	// Col is the byte column of the bad token in Text, counted from 1;
	// len(Text)+1 if something is missing at the end.
	Col int
	// Msg names the token.
	Msg string
	// Hint says what to write instead; it may be empty.
	Hint string
}

// Error gives the expression, the column, the message and the hint.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("dependency %q: column %d: %s", e.Text, e.Col, e.Msg)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// maxDepth is how deep parentheses and negations nest at most.
const maxDepth = 200

// Parse reads an expression; group stands for SELF. The error is a
// [*SyntaxError].
func Parse(text, group string) (*Expr, error) { return parse(text, group, false) }

// ParseList is Parse for hostdepend, where blanks or commas may stand between
// expressions: "SELF:ping db:mysql". All of them must hold.
func ParseList(text, group string) (*Expr, error) { return parse(text, group, true) }

func parse(text, group string, list bool) (*Expr, error) {
	p := parser{lexer: lexer{text: text, group: group}}
	if err := p.next(); err != nil {
		return nil, err
	}
	root, err := p.whole(list)
	if err != nil {
		return nil, err
	}
	return &Expr{text: p.replaced(), root: root, keys: p.keys}, nil
}

// parser reads the grammar by recursive descent, one token ahead.
type parser struct {
	lexer
	depth int
}

// whole reads all of the text: one expression, or a list of them.
func (p *parser) whole(list bool) (node, error) {
	n, err := p.expression()
	args := []node{n}
	for err == nil && list && (p.tok.kind == comma || p.tok.kind.beginsOperand()) {
		if p.tok.kind == comma {
			if err = p.next(); err != nil {
				break
			}
		}
		n, err = p.expression()
		args = append(args, n)
	}
	if err == nil && p.tok.kind != end {
		err = p.misplaced()
	}
	return join(and, args), err
}

// The binary operators, from the loosest to the tightest. There is no level
// for the word "not": see [parser.loose].
func (p *parser) expression() (node, error)   { return p.chain(orWord, or, p.conjunction) }
func (p *parser) conjunction() (node, error)  { return p.chain(andWord, and, p.alternatives) }
func (p *parser) alternatives() (node, error) { return p.chain(bars, or, p.requirements) }
func (p *parser) requirements() (node, error) { return p.chain(ampersands, and, p.operand) }

// chain reads operands with sep between them. Chains are flat, so that long
// ones are not deep.
func (p *parser) chain(sep kind, op op, operand func() (node, error)) (node, error) {
	var args []node
	for {
		n, err := operand()
		if err != nil {
			return n, err
		}
		args = append(args, n)
		if p.tok.kind != sep {
			return join(op, args), nil
		}
		if err := p.next(); err != nil {
			return n, err
		}
	}
}

func join(op op, args []node) node {
	if len(args) == 1 {
		return args[0]
	}
	return node{op: op, args: args}
}

// operand reads a name, a number, a parenthesis or a negation.
func (p *parser) operand() (node, error) {
	tok := p.tok
	if !tok.kind.beginsOperand() {
		return node{}, p.misplaced()
	}
	if err := p.next(); err != nil {
		return node{}, err
	}
	switch tok.kind {
	case service:
		return node{op: name, key: tok.key}, nil
	case one:
		return node{op: yes}, nil
	case zero:
		return node{op: no}, nil
	}
	return p.nested(tok)
}

// nested reads what follows an opening parenthesis or a negation, open.
func (p *parser) nested(open token) (n node, err error) {
	if p.depth++; p.depth > maxDepth {
		return n, p.fail(open.pos, fmt.Sprintf("nested deeper than %d", maxDepth), "")
	}
	defer func() { p.depth-- }()
	switch open.kind {
	case bang:
		n, err = p.operand()
	case notWord:
		n, err = p.loose()
	default:
		return p.closed(open)
	}
	return node{op: not, args: []node{n}}, err
}

// loose reads the operand of "not": a parenthesis alone, or else all up to
// "and", "or" or the end.
func (p *parser) loose() (node, error) {
	if p.tok.kind == opening {
		return p.operand()
	}
	return p.alternatives()
}

func (p *parser) closed(open token) (node, error) {
	n, err := p.expression()
	if err != nil {
		return n, err
	}
	if p.tok.kind == end {
		return n, p.fail(open.pos, `"(" is never closed`, "")
	}
	if p.tok.kind != closing {
		return n, p.misplaced()
	}
	return n, p.next()
}

// misplaced complains of a token that cannot stand where it does.
func (p *parser) misplaced() error {
	const operators = `write && or || between services`
	tok := p.tok
	shown := fmt.Sprintf("unexpected %q", p.text[tok.pos:p.pos])
	switch tok.kind {
	case end:
		return p.fail(tok.pos, "ends where a service is wanted", "write GROUP:SERVICE or SELF:SERVICE")
	case service, one, zero, opening, bang, notWord, comma:
		return p.fail(tok.pos, shown, operators)
	case closing:
		return p.fail(tok.pos, shown, "there is nothing to close, or nothing before it")
	}
	return p.fail(tok.pos, shown, "a service is wanted before it")
}
