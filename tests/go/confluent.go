package main

import (
	"errors"
	"slices"

	registry "github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
)

func confluentCode(err error) int {
	var refused *rest.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

func confluent(url, prefix string) *checks {
	c := &checks{client: "confluent-kafka-go"}
	client, err := registry.NewClient(registry.NewConfig(url))
	c.ok("a client", err)
	if err != nil {
		return c
	}
	defer client.Close()
	confluentVersions(c, client, prefix+"-orders")
	confluentReferences(c, client, prefix)
	confluentMetadata(c, client, prefix+"-metadata")
	confluentConfig(c, client, prefix+"-config")
	confluentDeletes(c, client, prefix)
	return c
}

func confluentVersions(c *checks, client registry.Client, subject string) {
	contexts, err := client.GetAllContexts()
	c.ok("contexts", err)
	c.equal("contexts", []string{"."}, contexts)
	_, err = client.GetLatestSchemaMetadata(subject)
	c.equal("latest of nothing", 40401, confluentCode(err))

	first, err := client.Register(subject, registry.SchemaInfo{Schema: plain}, false)
	c.ok("register", err)
	again, err := client.RegisterFullResponse(subject, registry.SchemaInfo{Schema: plain, SchemaType: "AVRO"}, true)
	c.ok("register again, normalized", err)
	c.equal("register again, normalized", first, again.ID)
	_, err = client.Register(subject, registry.SchemaInfo{Schema: withoutDefault}, false)
	c.equal("register, incompatible", 409, confluentCode(err))
	_, err = client.Register(subject, registry.SchemaInfo{Schema: `{"type":"record"}`}, false)
	c.equal("register, no schema", 42201, confluentCode(err))
	second, err := client.RegisterFullResponse(subject, registry.SchemaInfo{Schema: withDefault}, false)
	c.ok("register the second", err)
	// The client answers what it registered from its cache.
	c.ok("clear", client.ClearCaches())

	found, err := client.GetBySubjectAndID(subject, second.ID)
	c.ok("by id", err)
	c.equal("by id", withDefault, found.Schema)
	_, err = client.GetBySubjectAndID(subject, 2_000_000_000)
	c.equal("unknown id", 40403, confluentCode(err))
	where, err := client.GetSubjectsAndVersionsByID(second.ID)
	c.ok("subjects by id", err)
	c.equal("subjects by id", []registry.SubjectAndVersion{{Subject: subject, Version: 2}}, where)
	id, err := client.GetID(subject, registry.SchemaInfo{Schema: plain}, true)
	c.ok("look up", err)
	c.equal("look up", first, id)
	full, err := client.GetIDFullResponse(subject, registry.SchemaInfo{Schema: withDefault}, false)
	c.ok("look up in full", err)
	c.equal("look up in full", []any{second.ID, 2, subject, withDefault},
		[]any{full.ID, full.Version, full.Subject, full.Schema})
	version, err := client.GetVersion(subject, registry.SchemaInfo{Schema: plain}, false)
	c.ok("version of", err)
	c.equal("version of", 1, version)
	latest, err := client.GetLatestSchemaMetadata(subject)
	c.ok("latest", err)
	c.equal("latest", []any{second.ID, 2, withDefault}, []any{latest.ID, latest.Version, latest.Schema})
	oldest, err := client.GetSchemaMetadata(subject, 1)
	c.ok("version 1", err)
	c.equal("version 1", []any{first, 1, plain}, []any{oldest.ID, oldest.Version, oldest.Schema})
	_, err = client.GetSchemaMetadata(subject, 99)
	c.equal("version 99", 40402, confluentCode(err))
	versions, err := client.GetAllVersions(subject)
	c.ok("versions", err)
	c.equal("versions", []int{1, 2}, versions)
	fits, err := client.TestCompatibility(subject, 1, registry.SchemaInfo{Schema: withoutDefault})
	c.ok("compatibility with version 1", err)
	c.equal("compatibility with version 1", false, fits)
	fits, err = client.TestSubjectCompatibility(subject, registry.SchemaInfo{Schema: withDefault})
	c.ok("compatibility", err)
	c.equal("compatibility", true, fits)
}

func confluentReferences(c *checks, client registry.Client, prefix string) {
	subject := prefix + "-carts"
	info := registry.SchemaInfo{Schema: cart,
		References: []registry.Reference{{Name: "shop.Order", Subject: prefix + "-orders", Version: 1}}}
	id, err := client.Register(subject, info, false)
	c.ok("register with a reference", err)
	c.ok("clear", client.ClearCaches())
	found, err := client.GetLatestSchemaMetadata(subject)
	c.ok("latest with a reference", err)
	c.equal("latest with a reference", []any{id, info.References}, []any{found.ID, found.References})
	_, err = client.DeleteSubjectVersion(prefix+"-orders", 1, false)
	c.equal("delete what is referred to", 42206, confluentCode(err))
}

func confluentMetadata(c *checks, client registry.Client, subject string) {
	info := registry.SchemaInfo{Schema: plain,
		Metadata: &registry.Metadata{
			Tags:       map[string][]string{"shop.Order.id": {"PII"}},
			Properties: map[string]string{"owner": "Zoë", "major": "1"},
			Sensitive:  []string{"owner"}},
		RuleSet: &registry.RuleSet{DomainRules: []registry.Rule{{Name: "short", Kind: "CONDITION", Mode: "WRITE",
			Type: "CEL", Expr: "size(message.id) < 9", OnFailure: "ERROR"}}}}
	id, err := client.Register(subject, info, false)
	c.ok("register with metadata", err)
	c.ok("clear", client.ClearCaches())
	latest, err := client.GetLatestSchemaMetadata(subject)
	c.ok("latest with metadata", err)
	c.equal("metadata", info.Metadata, latest.Metadata)
	c.equal("rules", info.RuleSet, latest.RuleSet)
	// What a client without metadata registers inherits them.
	next, err := client.RegisterFullResponse(subject, registry.SchemaInfo{Schema: withDefault}, false)
	c.ok("register without metadata", err)
	c.ok("clear", client.ClearCaches())
	latest, err = client.GetSchemaMetadata(subject, 2)
	c.ok("inherited metadata", err)
	c.equal("inherited metadata", info.Metadata, latest.Metadata)
	c.equal("inherited rules", info.RuleSet, latest.RuleSet)
	chosen, err := client.GetLatestWithMetadata(subject, map[string]string{"major": "1"}, false)
	c.ok("latest with these properties", err)
	c.equal("latest with these properties", []any{next.ID, 2}, []any{chosen.ID, chosen.Version})
	_, err = client.GetLatestWithMetadata(subject, map[string]string{"major": "7"}, false)
	c.equal("no version with these properties", 40403, confluentCode(err))
	same, err := client.Register(subject, registry.SchemaInfo{Schema: plain}, false)
	c.ok("register what has metadata, without", err)
	c.equal("register what has metadata, without", id, same)
}

func confluentConfig(c *checks, client registry.Client, subject string) {
	level, err := client.GetDefaultCompatibility()
	c.ok("global level", err)
	c.equal("global level", registry.Compatibility(registry.Backward), level)
	_, err = client.GetCompatibility(subject)
	c.equal("no level of a subject", 40408, confluentCode(err))
	level, err = client.UpdateCompatibility(subject, registry.FullTransitive)
	c.ok("set a level", err)
	c.equal("set a level", registry.Compatibility(registry.FullTransitive), level)
	metadata := &registry.Metadata{Properties: map[string]string{"owner": "shop"}}
	_, err = client.UpdateConfig(subject, registry.ServerConfig{Normalize: true, CompatibilityGroup: "major",
		DefaultMetadata: metadata})
	c.ok("set the config", err)
	config, err := client.GetConfig(subject, false)
	c.ok("config", err)
	c.equal("config", registry.ServerConfig{Normalize: true, CompatibilityLevel: registry.FullTransitive,
		CompatibilityGroup: "major", DefaultMetadata: metadata}, config)
	config, err = client.GetConfig(subject+"-none", true)
	c.ok("config, or the global one", err)
	c.equal("config, or the global one", registry.Compatibility(registry.Backward), config.CompatibilityLevel)
}

func confluentDeletes(c *checks, client registry.Client, prefix string) {
	orders, carts := prefix+"-orders", prefix+"-carts"
	deleted, err := client.DeleteSubjectVersion(orders, 2, false)
	c.ok("delete a version", err)
	c.equal("delete a version", 2, deleted)
	c.ok("clear", client.ClearCaches())
	_, err = client.GetSchemaMetadata(orders, 2)
	c.equal("a deleted version", 40402, confluentCode(err))
	found, err := client.GetSchemaMetadataIncludeDeleted(orders, 2, true)
	c.ok("a deleted version, included", err)
	c.equal("a deleted version, included", withDefault, found.Schema)
	deleted, err = client.DeleteSubjectVersion(orders, 2, true)
	c.ok("delete a version for good", err)
	c.equal("delete a version for good", 2, deleted)
	gone, err := client.DeleteSubject(carts, false)
	c.ok("delete a subject", err)
	c.equal("delete a subject", []int{1}, gone)
	subjects, err := client.GetAllSubjects()
	c.ok("subjects", err)
	c.equal("subjects", []bool{true, false},
		[]bool{slices.Contains(subjects, orders), slices.Contains(subjects, carts)})
}
