import styles from './Status.module.css'
import { useRequests } from './use-requests'
import { useStatusDialogs } from './use-status-dialogs'

/** Where a phone, which has no status bar, has what the bar leads to: under the layer. */
export function PhoneStatus() {
  const { open, dialog } = useStatusDialogs(useRequests())
  return (
    <div className={styles.phone}>
      <button type="button" data-test="phone-gpu" onClick={() => open('gpu')}>
        GPU details and benchmark
      </button>
      <button type="button" data-test="phone-privacy" onClick={() => open('privacy')}>
        Nothing is uploaded
      </button>
      {dialog}
    </div>
  )
}
