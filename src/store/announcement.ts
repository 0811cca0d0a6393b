import { methodStyle } from '../figures/method-style'
import { answerText } from './answer-text'
import { preparationText } from './run-step'
import { runProgress } from './selectors'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/** What a screen reader is told of the run: that it started, every method by name, and its finding at the end. */
export function announcement(state: AppState, vocabulary: Vocabulary): string {
  const { phase, current } = state.run
  if (phase === 'idle') return answerText(state, vocabulary)
  const { done, total } = runProgress(state, vocabulary)
  const method =
    current === null ? preparationText(state) || 'Computing' : `Computing ${methodStyle(current.method, 'light').label}`
  return `${method}, ${done} of ${total} results.`
}
