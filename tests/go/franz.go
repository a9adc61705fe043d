package main

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/sr"
)

func franzCode(err error) int {
	var refused *sr.ResponseError
	if errors.As(err, &refused) {
		return refused.ErrorCode
	}
	return 0
}

func franz(url, prefix string) *checks {
	c := &checks{client: "franz-go"}
	client, err := sr.NewClient(sr.URLs(url))
	c.ok("a client", err)
	if err != nil {
		return c
	}
	ctx := context.Background()
	franzVersions(ctx, c, client, prefix+"-orders")
	franzReferences(ctx, c, client, prefix)
	franzConfig(ctx, c, client, prefix+"-config")
	franzFrames(c)
	franzDeletes(ctx, c, client, prefix)
	return c
}

func franzVersions(ctx context.Context, c *checks, client *sr.Client, subject string) {
	types, err := client.SupportedTypes(ctx)
	c.ok("types", err)
	c.equal("types", true, slices.Contains(types, sr.TypeAvro))
	_, err = client.SubjectVersions(ctx, subject)
	c.equal("versions of nothing", 40401, franzCode(err))

	first, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: plain})
	c.ok("create", err)
	c.equal("create", []any{subject, 1, plain}, []any{first.Subject, first.Version, first.Schema.Schema})
	_, err = client.CreateSchema(ctx, subject, sr.Schema{Schema: withoutDefault})
	c.equal("create, incompatible", 409, franzCode(err))
	second, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: withDefault})
	c.ok("create the second", err)
	c.equal("create the second", 2, second.Version)

	byID, err := client.SchemaByID(ctx, first.ID)
	c.ok("by id", err)
	c.equal("by id", plain, byID.Schema)
	text, err := client.SchemaTextByID(ctx, second.ID)
	c.ok("text by id", err)
	c.equal("text by id", withDefault, text)
	subjects, err := client.SubjectsByID(ctx, second.ID)
	c.ok("subjects by id", err)
	c.equal("subjects by id", true, slices.Contains(subjects, subject))
	latest, err := client.SchemaByVersion(ctx, subject, -1)
	c.ok("latest", err)
	c.equal("latest", []any{second.ID, 2}, []any{latest.ID, latest.Version})
	text, err = client.SchemaTextByVersion(ctx, subject, 1)
	c.ok("text by version", err)
	c.equal("text by version", plain, text)
	all, err := client.Schemas(ctx, subject)
	c.ok("all versions", err)
	c.equal("all versions", 2, len(all))
	looked, err := client.LookupSchema(sr.WithParams(ctx, sr.Normalize), subject, sr.Schema{Schema: plain})
	c.ok("look up", err)
	c.equal("look up", []any{first.ID, 1}, []any{looked.ID, looked.Version})
	verdict, err := client.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), subject, 1,
		sr.Schema{Schema: withoutDefault})
	c.ok("check, verbose", err)
	c.equal("check, verbose", []any{false, true}, []any{verdict.Is, len(verdict.Messages) > 0})
}

func franzReferences(ctx context.Context, c *checks, client *sr.Client, prefix string) {
	refers := sr.Schema{Schema: cart,
		References: []sr.SchemaReference{{Name: "shop.Order", Subject: prefix + "-orders", Version: 1}}}
	cartOf, err := client.CreateSchema(ctx, prefix+"-carts", refers)
	c.ok("create with a reference", err)
	c.equal("create with a reference", refers.References, cartOf.References)
	users, err := client.SchemaReferences(ctx, prefix+"-orders", 1)
	c.ok("who refers", err)
	c.equal("who refers", true, len(users) == 1 && users[0].Subject == prefix+"-carts")
	resolved, err := client.SchemaByVersion(sr.WithParams(ctx, sr.Format("resolved")), prefix+"-carts", 1)
	c.ok("format resolved", err)
	c.equal("format resolved",
		`{"type":"record","name":"Cart","namespace":"shop","fields":[{"name":"order","type":`+
			`{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}}]}`,
		resolved.Schema.Schema)
}

func franzConfig(ctx context.Context, c *checks, client *sr.Client, subject string) {
	c.equal("global level", sr.CompatBackward, client.Compatibility(ctx)[0].Level)
	c.equal("no level of a subject", 40408, franzCode(client.Compatibility(ctx, subject)[0].Err))
	set := client.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull, Normalize: true,
		Group: "major"}, subject)[0]
	c.ok("set a level", set.Err)
	got := client.Compatibility(ctx, subject)[0]
	c.ok("level", got.Err)
	c.equal("level", []any{sr.CompatFull, true, "major"}, []any{got.Level, got.Normalize, got.Group})
	c.ok("reset", client.ResetCompatibility(ctx, subject)[0].Err)
	got = client.Compatibility(sr.WithParams(ctx, sr.DefaultToGlobal), subject)[0]
	c.ok("level, or the global one", got.Err)
	c.equal("level, or the global one", sr.CompatBackward, got.Level)
	mode := client.SetMode(ctx, sr.ModeReadOnly, subject)[0]
	c.ok("set a mode", mode.Err)
	c.equal("mode", sr.ModeReadOnly, client.Mode(ctx, subject)[0].Mode)
	_, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: plain})
	c.equal("create, read-only", 42205, franzCode(err))
	c.ok("reset the mode", client.ResetMode(ctx, subject)[0].Err)
	c.equal("global mode", sr.ModeReadWrite, client.Mode(ctx)[0].Mode)
}

func franzFrames(c *checks) {
	var serde sr.Serde
	serde.Register(7, "", sr.EncodeFn(func(any) ([]byte, error) { return []byte("\x02a"), nil }))
	frame, err := serde.Encode("")
	c.ok("frame", err)
	c.equal("frame", []byte("\x00\x00\x00\x00\x07\x02a"), frame)
}

func franzDeletes(ctx context.Context, c *checks, client *sr.Client, prefix string) {
	err := client.DeleteSchema(ctx, prefix+"-orders", 2, sr.HardDelete)
	c.equal("delete for good too early", 40407, franzCode(err))
	c.ok("delete a version", client.DeleteSchema(ctx, prefix+"-orders", 2, sr.SoftDelete))
	c.ok("delete it for good", client.DeleteSchema(ctx, prefix+"-orders", 2, sr.HardDelete))
	deleted, err := client.DeleteSubject(ctx, prefix+"-carts", sr.SoftDelete)
	c.ok("delete a subject", err)
	c.equal("delete a subject", []int{1}, deleted)
	visible, err := client.Subjects(ctx)
	c.ok("subjects", err)
	all, err := client.Subjects(sr.WithParams(ctx, sr.ShowDeleted))
	c.ok("subjects with deleted ones", err)
	c.equal("subjects", []bool{false, true},
		[]bool{slices.Contains(visible, prefix+"-carts"), slices.Contains(all, prefix+"-carts")})
}
