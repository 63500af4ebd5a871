/** answers: whether the queue answers, for whatever offers to ask something of it. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export const AnswersContext = createContext(true);

/** Whether what a button asks for could be done now: a button that only leads to an error is not to be pressed. */
export function useAnswers(): boolean {
  return useContext(AnswersContext);
}
