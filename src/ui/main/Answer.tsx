import { useState } from 'react'
import { answerText, conditionLines } from '../../store/answer-text'
import { ChevronDown } from '../icons'
import { useApp } from '../use-app'
import styles from './Main.module.css'

/** A score, and the last word of the name before it: "QuaRot 11.4 dB". */
const SCORE = /([^\s,:;]+ [−∞\d.,]+ dB)/

/** The same text, whose lines break between clauses and never within a score. */
function Clauses({ text }: { readonly text: string }) {
  return text.split(/(?<=; )/).map((clause) => (
    <span key={clause} className={styles.clause}>
      {clause.split(SCORE).map((part) => (SCORE.test(part) ? <span key={part}>{part}</span> : part))}
    </span>
  ))
}

/** One sentence that says what this comparison shows, and the setting it was computed under. */
export function Answer() {
  const line = useApp(answerText)
  const conditions = useApp(conditionLines)
  const [open, setOpen] = useState(false)
  return (
    <>
      <p className={styles.answer} data-test="answer">
        <Clauses text={line} />
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
