// How Java classifies the characters of the Basic Multilingual Plane, for
// scripts/generate_unicode.py. Each line is one range:
//   letter FIRST LAST
//   digit FIRST LAST
//   lower FIRST LAST STEP DISTANCE   each STEPth has its lower-case form DISTANCE further
import java.util.Locale;
import java.util.function.IntPredicate;

public class UnicodeRanges {
  private static final int END = 0x10000;

  public static void main(String[] arguments) {
    print("letter", c -> Character.isLetter((char) c));
    print("digit", c -> Character.isDigit((char) c));
    printLower();
  }

  private static void print(String name, IntPredicate holds) {
    for (int first = 0; first < END; ++first) {
      if (!holds.test(first)) continue;
      int last = first;
      while (last + 1 < END && holds.test(last + 1)) ++last;
      System.out.printf("%s %d %d%n", name, first, last);
      first = last;
    }
  }

  // 0 if the character has no lower-case form of one character.
  private static int distance(int c) {
    if (c < 0x80 || Character.isSurrogate((char) c)) return 0;
    String lower = String.valueOf((char) c).toLowerCase(Locale.ROOT);
    return lower.length() == 1 ? lower.charAt(0) - c : 0;
  }

  private static void printLower() {
    boolean[] done = new boolean[END];
    for (int first = 0; first < END; ++first) {
      int distance = distance(first);
      if (distance == 0 || done[first]) continue;
      int step = first + 1 < END && distance(first + 1) == distance ? 1 : 2;
      int last = first;
      while (last + step < END && distance(last + step) == distance && !done[last + step]) {
        last += step;
        done[last] = true;
      }
      System.out.printf("lower %d %d %d %d%n", first, last, step, distance);
    }
  }
}
