// Package house holds the rules of the house as tests: who may import whom,
// that every package says what it is for, how large functions and files are,
// that what CONTRIBUTING.md names exists. It has no code of its own.
package house
