// Package member decides.
package member
