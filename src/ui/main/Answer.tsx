import { useState } from 'react'
import { answerText, conditionLines } from '../../store/answer-text'
import { ChevronDown } from '../icons'
import { useApp } from '../use-app'
import styles from './Main.module.css'

/** One sentence that says what this comparison shows, and the setting it was computed under. */
export function Answer() {
  const line = useApp(answerText)
  const conditions = useApp(conditionLines)
  const [open, setOpen] = useState(false)
  return (
    <>
      <p className={styles.answer} data-test="answer">
        {line}
      </p>
      <div className={styles.conditions} data-test="conditions" data-open={open}>
        {conditions.map((text) => (
          <p key={text}>{text}</p>
        ))}
        {conditions.length > 0 && (
          <button
            type="button"
            className={styles.unfold}
            data-test="conditions-unfold"
            aria-label="All conditions"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <ChevronDown />
          </button>
        )}
      </div>
    </>
  )
}
