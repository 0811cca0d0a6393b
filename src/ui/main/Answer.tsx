import { answerText, conditionLines } from '../../store/answer-text'
import { useApp } from '../use-app'
import styles from './Main.module.css'

/** One sentence that says what this comparison shows, and the setting it was computed under. */
export function Answer() {
  const line = useApp(answerText)
  const conditions = useApp(conditionLines)
  return (
    <div className={styles.answer}>
      <p data-test="answer" aria-live="polite">
        {line}
      </p>
      {conditions.length > 0 && (
        <div className={styles.conditions} data-test="conditions">
          {conditions.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </div>
      )}
    </div>
  )
}
