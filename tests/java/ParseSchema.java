import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;

/**
 * Parses each line of its input, a schema's text as a JSON string, with Avro's Java library. Answers
 * {"plain": whether it is accepted without validating defaults, "validated": and with it, "text": how
 * the library prints it, "error": why it is refused}.
 */
public final class ParseSchema {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ParseSchema() {}

  public static void main(String[] arguments) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String text = MAPPER.readTree(line).textValue();
      ObjectNode answer = MAPPER.createObjectNode();
      answer.put("plain", parse(text, false, answer));
      answer.put("validated", parse(text, true, answer));
      out.println(MAPPER.writeValueAsString(answer));
    }
    out.flush();
  }

  private static boolean parse(String text, boolean validate, ObjectNode answer) {
    try {
      Schema schema = new Schema.Parser().setValidateDefaults(validate).parse(text);
      if (!validate) answer.put("text", schema.toString());
      return true;
    } catch (RuntimeException | StackOverflowError refused) {
      answer.put("error", refused.toString());
      return false;
    }
  }
}
