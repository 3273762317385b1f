package wording

import (
	"context"
	"fmt"
	"text/template/parse"
	"time"
)

// What one rendering may take. A template cannot be interrupted from outside,
// so each turn of a loop and each call of a function asks whether it may go on.
const (
	maxSteps = 50_000
	maxTime  = 2 * time.Second
)

// limitError is the end of a rendering that takes too much.
type limitError string

func (e limitError) Error() string { return string(e) }

var errTooLong = limitError(fmt.Sprintf("the template makes more than %d KiB", MaxOutput>>10))

// budget is what is left to one rendering.
type budget struct {
	ctx   context.Context //nolint:containedctx // the template packages pass none on
	end   time.Time
	steps int
}

func newBudget(ctx context.Context) *budget {
	return &budget{ctx: ctx, end: time.Now().Add(maxTime), steps: maxSteps}
}

// spend takes one step.
func (b *budget) spend() error {
	b.steps--
	switch {
	case b.steps < 0:
		return limitError(fmt.Sprintf("the template takes more than %d steps: does a loop of it end?", maxSteps))
	case b.ctx.Err() != nil:
		return limitError("the template was interrupted: " + context.Cause(b.ctx).Error())
	case time.Now().After(b.end):
		return limitError(fmt.Sprintf("the template takes longer than %v", maxTime))
	}
	return nil
}

// stepName is the function that a grafted node calls; stepNode the node, which
// prints nothing in any context of HTML since it is an assignment.
const (
	stepName = "__mond_step"
	stepNode = "{{$__mond_step := __mond_step}}"
)

// step is the function of the grafted node.
func (b *budget) step() (string, error) { return "", b.spend() }

func (b *budget) node() (parse.Node, error) {
	trees, err := parse.Parse("step", stepNode, "", "", map[string]any{stepName: b.step})
	if err != nil {
		return nil, fmt.Errorf("prepare a template: %w", err)
	}
	return trees["step"].Root.Nodes[0], nil
}

// maxNested bounds loops within loops: html/template looks at the inside of each
// twice.
const maxNested = 8

// graft puts node at the beginning of a template, which may call itself, and of
// each loop in it.
func graft(t *parse.Tree, node parse.Node) error {
	if t == nil || t.Root == nil {
		return nil
	}
	if loops(t.Root, node) > maxNested {
		return limitError(fmt.Sprintf("the template has more than %d loops within each other", maxNested))
	}
	prepend(t.Root, node)
	return nil
}

// loops returns how many loops of a list are within each other.
func loops(list *parse.ListNode, node parse.Node) (nested int) {
	if list == nil {
		return 0
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.RangeNode:
			nested = max(nested, 1+loops(n.List, node), loops(n.ElseList, node))
			prepend(n.List, node)
		case *parse.IfNode:
			nested = max(nested, loops(n.List, node), loops(n.ElseList, node))
		case *parse.WithNode:
			nested = max(nested, loops(n.List, node), loops(n.ElseList, node))
		}
	}
	return nested
}

func prepend(list *parse.ListNode, node parse.Node) {
	list.Nodes = append([]parse.Node{node}, list.Nodes...)
}
