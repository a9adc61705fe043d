"""The values of a table in the form of avro_mapping.py, so that they can be compared: first as_numbers, then
to_pylist(maps_as_pydicts=None), then plain."""

import decimal
from typing import Any

import pyarrow as pa


def plain(value: Any, type_: pa.DataType) -> Any:
    """A value of to_pylist in the form of avro_mapping.py."""
    if value is None:
        return None
    if pa.types.is_struct(type_):
        return {field.name: plain(value[field.name], field.type) for field in type_}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return [plain(item, type_.value_type) for item in value]
    if pa.types.is_map(type_):
        return {key: plain(item, type_.item_type) for key, item in value}
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return value.hex().upper()
    if pa.types.is_decimal(type_):
        with decimal.localcontext(prec=80):
            return str(int(value.scaleb(type_.scale)))
    return value


def as_numbers(table: pa.Table) -> pa.Table:
    """Instants and dates as numbers, at any depth."""
    return table.cast(pa.schema([pa.field(f.name, number_type(f.type)) for f in table.schema]))


def number_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(type_) and type_.tz is not None:  # Without a time zone it is not an instant.
        return pa.int64()
    if pa.types.is_date(type_):
        return pa.int32()
    if pa.types.is_struct(type_):
        return pa.struct([pa.field(f.name, number_type(f.type)) for f in type_])
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return pa.list_(number_type(type_.value_type))
    if pa.types.is_map(type_):
        return pa.map_(number_type(type_.key_type), number_type(type_.item_type))
    return type_
