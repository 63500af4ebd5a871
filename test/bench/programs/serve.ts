/** serve: the child's side of a program that a benchmark starts: it answers what its parent asks, one thing at a time. */

export type Question = { readonly ask: string; readonly argument: unknown };
export type Answer = { readonly value: unknown } | { readonly error: string };

/** Answers each question with the handler of its name; ends with the parent, however that ends. */
export function serve(handlers: Readonly<Record<string, (argument: never) => Promise<unknown>>>): void {
  const answer = async ({ ask, argument }: Question): Promise<Answer> => {
    try {
      const handler = handlers[ask];
      if (handler === undefined) throw new TypeError(`this program can't "${ask}"`);
      return { value: (await handler(argument as never)) ?? null };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
  process.on('message', (question: Question) => void answer(question).then((given) => process.send?.(given)));
  process.on('disconnect', () => process.exit());
}
