// Avro's Java library as a program, for tests/test_codec.py. Each input line is one case:
//   {"writer": schema, "reader": schema, "bodies": [hexadecimal]}
// and each output line has one value per body, or {"error": why} in its place:
//   {"values": [...]}
// Values are those of Java, without logical types: bytes and fixed are hexadecimal, and a value of
// a union is [index of the reader's branch, value].
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

public class DecodeAvro {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    for (String line; (line = in.readLine()) != null; ) {
      out.println(mapper.writeValueAsString(decode(mapper.readTree(line))));
    }
    out.flush();
  }

  private static JsonNode decode(JsonNode test) {
    ObjectNode result = JSON.objectNode();
    ArrayNode values = result.putArray("values");
    Schema writer = new Schema.Parser().parse(test.get("writer").toString());
    Schema reader = new Schema.Parser().parse(test.get("reader").toString());
    GenericDatumReader<Object> datums = new GenericDatumReader<>(writer, reader);
    for (JsonNode body : test.get("bodies")) {
      byte[] bytes = HexFormat.of().parseHex(body.textValue());
      try {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
        JsonNode value = toJson(datums.read(null, decoder), reader);
        values.add(decoder.isEnd() ? value : JSON.objectNode().put("error", "bytes are left"));
      } catch (Exception error) {
        values.add(JSON.objectNode().put("error", error.toString()));
      }
    }
    return result;
  }

  private static JsonNode toJson(Object value, Schema schema) {
    switch (schema.getType()) {
      case UNION:
        int branch = GenericData.get().resolveUnion(schema, value);
        return JSON.arrayNode().add(branch).add(toJson(value, schema.getTypes().get(branch)));
      case RECORD:
        ObjectNode record = JSON.objectNode();
        for (Schema.Field field : schema.getFields()) {
          record.set(field.name(), toJson(((IndexedRecord) value).get(field.pos()), field.schema()));
        }
        return record;
      case ARRAY:
        ArrayNode array = JSON.arrayNode();
        ((Collection<?>) value).forEach(item -> array.add(toJson(item, schema.getElementType())));
        return array;
      case MAP:
        ObjectNode map = JSON.objectNode();
        ((Map<?, ?>) value)
            .forEach((key, item) -> map.set(key.toString(), toJson(item, schema.getValueType())));
        return map;
      case BYTES:
        ByteBuffer buffer = ((ByteBuffer) value).duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return JSON.textNode(HexFormat.of().formatHex(bytes));
      case FIXED:
        return JSON.textNode(HexFormat.of().formatHex(((GenericFixed) value).bytes()));
      case INT:
        return JSON.numberNode((Integer) value);
      case LONG:
        return JSON.numberNode((Long) value);
      case FLOAT:
        return JSON.numberNode((double) (Float) value);
      case DOUBLE:
        return JSON.numberNode((Double) value);
      case BOOLEAN:
        return JSON.booleanNode((Boolean) value);
      case NULL:
        return JSON.nullNode();
      default:
        return JSON.textNode(value.toString());
    }
  }
}
