import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/** Judges each line "reader TAB writer" of its input: "yes", or "no" and the broken rules. */
public final class Compatibility {
  private Compatibility() {}

  public static void main(String[] arguments) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    StringBuilder out = new StringBuilder();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] pair = line.split("\t");
      Schema reader = new Schema.Parser().parse(pair[0]);
      Schema writer = new Schema.Parser().parse(pair[1]);
      out.append(judge(reader, writer)).append('\n');
    }
    System.out.print(out);
  }

  private static String judge(Schema reader, Schema writer) {
    try {
      SchemaCompatibility.SchemaCompatibilityResult result =
          SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
      StringBuilder rules = new StringBuilder();
      for (SchemaCompatibility.Incompatibility one : result.getIncompatibilities()) {
        rules.append(' ').append(one.getType());
      }
      boolean compatible =
          result.getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE;
      return compatible ? "yes" : "no" + rules;
    } catch (AvroRuntimeException refused) {
      return "no " + refused.getClass().getSimpleName(); // It matches several fields.
    }
  }
}
