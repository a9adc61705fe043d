// Calls a schema registry through the Go clients of Confluent and franz-go, and prints what differs from what
// release 7.9 of Confluent's registry answers. Arguments: the registry's URL, and a prefix for subjects.
package main

import (
	"fmt"
	"os"
	"reflect"
)

const (
	plain       = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}`
	withDefault = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"},` +
		`{"name":"amount","type":"double","default":0}]}`
	withoutDefault = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"},` +
		`{"name":"amount","type":"double"}]}`
	cart = `{"type":"record","name":"Cart","namespace":"shop","fields":[{"name":"order","type":"shop.Order"}]}`
)

// checks counts what was compared, and prints each difference.
type checks struct {
	client        string
	done, differs int
}

func (c *checks) equal(name string, want, got any) {
	c.done++
	if reflect.DeepEqual(want, got) {
		return
	}
	c.differs++
	fmt.Printf("%s, %s: got %#v, expected %#v\n", c.client, name, got, want)
}

func (c *checks) ok(name string, err error) {
	c.equal(name, nil, err)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: registry-clients URL PREFIX")
		os.Exit(2)
	}
	url, prefix := os.Args[1], os.Args[2]
	differs := 0
	for _, c := range []*checks{confluent(url, prefix+"confluent"), franz(url, prefix+"franz")} {
		fmt.Printf("%s: %d checks, %d differ\n", c.client, c.done, c.differs)
		differs += c.differs
	}
	if differs > 0 {
		os.Exit(1)
	}
}
