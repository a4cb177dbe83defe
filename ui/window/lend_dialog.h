#pragma once

#include <QtWidgets/QDialog>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace belay::ui {

// Which file to lend to a gadget, under which name, and whether it may write.
class LendDialog final : public QDialog {
    Q_OBJECT

 public:
    LendDialog(const QString& gadget, QWidget* parent);

    QString file() const;
    QString label() const;
    bool readOnly() const;
    void setFile(const QString& file);
    // Opens the file dialog.
    void browse();

 private:
    void update();

    QLineEdit* file_;
    QLineEdit* label_;
    QCheckBox* readOnly_;
    QLabel* hint_;
    QPushButton* lend_;
};

}  // namespace belay::ui
